/* How much of the stack was used: all of it is painted, and what is no longer paint was used. */
#include <stdint.h>

#define STACK_PAINT 0xA5C35A3Cu
extern uint32_t stack_floor[], stack_top[];

__attribute__((always_inline)) static inline void stack_paint(void)
{
    uint32_t *word, *used;

    __asm volatile("mov %0, sp" : "=r"(used));
    for (word = stack_floor; word < used; word++)
        *word = STACK_PAINT;
}

static inline uint32_t stack_bytes(void)
{
    const uint32_t *word = stack_floor;

    while (word < stack_top && *word == STACK_PAINT)
        word++;
    return (uint32_t)(stack_top - word) * 4;
}
