"""The network on bare metal: a program without a system for Cortex-M cores, on boards that QEMU emulates."""
