/* Counts instructions of the guest: a plugin for QEMU's user mode.
 *
 * Counters lie in the file that is named, which whoever started the emulator reads at any moment: one for each virtual
 * CPU, 64 bytes apart. The declarations are of QEMU's plugin interface as far as it is used, alike in its versions.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct qemu_plugin_tb;
typedef void (*executed_cb)(unsigned int vcpu, void *data);
typedef void (*translated_cb)(uint64_t id, struct qemu_plugin_tb *block);
extern void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_cb callback);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, executed_cb callback, int flags, void *data);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);

#define VCPUS 256
struct counter {
    uint64_t instructions;
    uint64_t apart[7];
};
static struct counter *counters;

__attribute__((visibility("default"))) int qemu_plugin_version = PLUGIN_VERSION;

static void executed(unsigned int vcpu, void *instructions)
{
    counters[vcpu % VCPUS].instructions += (uintptr_t)instructions;
}

static void translated(uint64_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(block, executed, 0, (void *)(uintptr_t)qemu_plugin_tb_n_insns(block));
}

__attribute__((visibility("default"))) int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    int file;

    (void)info;
    if (argc != 1 || strncmp(argv[0], "out=", 4) != 0)
        return 1;
    file = open(argv[0] + 4, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ftruncate(file, VCPUS * sizeof *counters) != 0)
        return 1;
    counters = mmap(NULL, VCPUS * sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (counters == MAP_FAILED)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
