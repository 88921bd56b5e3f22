// What a program does before libc has set anything up. Included by the one file of a program that defines its entry.
//
// Most of what the start of a short-lived program costs is done one page fault at a time: half of those that `slip run`
// took were for the program's own pages. Here they are all mapped by a call or two.
//
// Nothing here may touch libc, thread-local storage (no stack protector), or data that needs a relocation.
#pragma once

#if defined(__x86_64__)

#include <link.h>
#include <sys/syscall.h>

#define SLIPWAY_BEFORE_LIBC __attribute__((no_stack_protector))

/// The linker's: where the program begins in memory.
extern "C" const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

namespace slipway::entry {

SLIPWAY_BEFORE_LIBC inline long call(long number, long a = 0, long b = 0, long c = 0, long d = 0,
                                     long e = 0) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
               : "rcx", "r11", "memory");
  return result;
}

SLIPWAY_BEFORE_LIBC inline long address(const void* pointer) {
  return reinterpret_cast<long>(pointer);
}

/// Maps all pages of the program, its own copies of those that it may write. Before Linux 5.14 this does nothing.
SLIPWAY_BEFORE_LIBC inline void populate() {
  constexpr long kPopulateRead = 22, kPopulateWrite = 23;  // MADV_POPULATE_READ, MADV_POPULATE_WRITE
  constexpr ElfW(Addr) kPage = 4096;
  const char* const base = reinterpret_cast<const char*>(&__ehdr_start);
  const auto* const segments = reinterpret_cast<const ElfW(Phdr)*>(base + __ehdr_start.e_phoff);
  for (int i = 0; i < __ehdr_start.e_phnum; ++i) {
    const ElfW(Phdr)& segment = segments[i];
    if (segment.p_type != PT_LOAD) continue;
    const ElfW(Addr) start = segment.p_vaddr & ~(kPage - 1);
    call(SYS_madvise, address(base + start), static_cast<long>(segment.p_vaddr + segment.p_memsz - start),
         segment.p_flags & PF_W ? kPopulateWrite : kPopulateRead);
  }
}

}  // namespace slipway::entry

/// The program's entry (see Makefile). It calls program_begin(stack), with the stack as the kernel has made it (argc, argv,
/// NULL, envp, NULL), and goes on to libc's, which expects in rdx what was there.
asm(R"(
  .globl program_entry
  .type program_entry, @function
program_entry:
  endbr64
  xorl %ebp, %ebp
  movq %rsp, %rdi
  pushq %rdx
  subq $8, %rsp
  call program_begin
  addq $8, %rsp
  popq %rdx
  jmp _start
)");
extern "C" void program_begin(char** stack);

#endif
