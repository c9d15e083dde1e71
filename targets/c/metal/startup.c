/* From reset to main on a Cortex-M: vector table, floating point and vector unit, memory, a painted stack. */
#include <stdint.h>

#include "semihosting.h"
#include "stack.h"

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[];
int main(void);
void reset(void);
static void fault(void);

#define COPROCESSORS (*(volatile uint32_t *)0xE000ED88u) /* CPACR */
#define EXCEPTIONS 14 /* of the system, from NMI to SysTick */

struct vectors {
    void *stack;
    void (*reset)(void);
    void (*exceptions[EXCEPTIONS])(void);
};
__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    stack_top,
    reset,
    {fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault},
};

__attribute__((noreturn)) void reset(void)
{
    uint32_t *word, *from = data_load;

    COPROCESSORS |= 0xFu << 20;
    __asm volatile("dsb\n isb" ::: "memory");
    for (word = data_start; word < data_end;)
        *word++ = *from++;
    for (word = bss_start; word < bss_end;)
        *word++ = 0;
    stack_paint();
    semihosting_exit(main());
}

static void fault(void)
{
    semihosting_exit(1);
}
