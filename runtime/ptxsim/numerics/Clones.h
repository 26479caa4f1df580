//===- Clones.h - code for several instruction sets -----------------------===//
//
// Internal to this folder. A function marked MSA_CLONES is compiled for plain
// x86-64, AVX2 and AVX-512; the loader takes the best one that the CPU has. All
// give the same bits: nothing is contracted or reordered.
//
//===----------------------------------------------------------------------===//
#pragma once

#if defined(__x86_64__) && defined(__linux__) && !defined(MSA_PTXSIM_PLAIN)
#define MSA_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define MSA_CLONES
#endif
