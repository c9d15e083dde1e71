/* Files of the computer behind the debugger, or of the one that emulates: ARM's semihosting for Cortex-M. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SEMIHOSTING_OPEN = 1, SEMIHOSTING_WRITE = 5, SEMIHOSTING_READ = 6, SEMIHOSTING_EXIT = 0x18 };
enum { SEMIHOSTING_RB = 1, SEMIHOSTING_WB = 5 };

static inline uint32_t semihosting(uint32_t operation, uintptr_t argument)
{
    register uint32_t r0 __asm("r0") = operation;
    register uintptr_t r1 __asm("r1") = argument;

    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static inline uint32_t semihosting_open(const char *path, uint32_t mode)
{
    const uintptr_t block[] = {(uintptr_t)path, mode, strlen(path)};

    return semihosting(SEMIHOSTING_OPEN, (uintptr_t)block);
}

/* All of the bytes; 0 where the file ends before. */
static inline int semihosting_move(uint32_t operation, uint32_t file, uintptr_t bytes, size_t size)
{
    while (size != 0) {
        const uintptr_t block[] = {file, bytes, size};
        const size_t left = semihosting(operation, (uintptr_t)block);

        if (left >= size)
            return 0;
        bytes += size - left;
        size = left;
    }
    return 1;
}

static inline int semihosting_read(uint32_t file, void *bytes, size_t size)
{
    return semihosting_move(SEMIHOSTING_READ, file, (uintptr_t)bytes, size);
}

static inline int semihosting_write(uint32_t file, const void *bytes, size_t size)
{
    return semihosting_move(SEMIHOSTING_WRITE, file, (uintptr_t)bytes, size);
}

__attribute__((noreturn)) static inline void semihosting_exit(int status)
{
    for (;;)
        semihosting(SEMIHOSTING_EXIT, status == 0 ? 0x20026u : 0x20023u);
}
