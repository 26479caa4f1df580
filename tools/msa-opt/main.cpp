//===- main.cpp - msa-opt: mlir-opt with the msa dialect ------------------===//
//
// The usual mlir-opt, from the compiler image. Exit code 2 for bad input.
//
//===----------------------------------------------------------------------===//
#include "tools/msa-compile/Environment.h"

extern "C" int msaOptMain(int argc, char **argv, const msa::ToolchainPaths &toolchain);

int main(int argc, char **argv) { return msaOptMain(argc, argv, msa::tools::toolchainRoots()); }
