//===- Entry.cpp - what libmsa-compiler.so exports ------------------------===//
//
// Two functions, found by name: compile() for msa-compile, and msa-opt's main.
// No exception crosses.
//
//===----------------------------------------------------------------------===//
#include "compiler/MlirText.h"
#include "compiler/ParseModule.h"
#include "compiler/Passes.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

#include <exception>

using namespace mlir;

extern "C" __attribute__((visibility("default"))) void
msaCompilerEntry(const msa::CompileRequest &request, msa::Expected<msa::CompileResult> &result) {
  try {
    result = msa::compile(request);
  } catch (const std::exception &e) {
    result = msa::Status::internal(std::string("the compiler threw: ") + e.what());
  }
}

/// mlir-opt with our dialects, passes and pipelines; NVRTC is looked for in `toolchain`.
extern "C" __attribute__((visibility("default"))) int
msaOptMain(int argc, char **argv, const msa::ToolchainPaths &toolchain) {
  msa::registerPassesAndPipelines(toolchain);
  registerCanonicalizerPass();
  registerCSEPass();
  registerSymbolDCEPass();
  DialectRegistry registry;
  msa::registerDialects(registry);
  auto [inputName, outputName] = registerAndParseCLIOptions(
      argc, argv, "msa-opt: MLIR optimiser driver with the msa dialect\n", registry);
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects()) {
    for (llvm::StringRef name : registry.getDialectNames())
      llvm::outs() << name << "\n";
    return 0;
  }
  if (config.shouldListPasses()) {
    printRegisteredPasses();
    return 0;
  }
  std::string error;
  auto input = openInputFile(inputName, &error);
  auto output = input ? openOutputFile(outputName, &error) : nullptr;
  if (!output) {
    llvm::errs() << "msa-opt: " << error << "\n";
    return 2;
  }
  if (msa::Status status = msa::checkMlirText(input->getBuffer(), inputName); !status.ok()) {
    llvm::errs() << status.message() << "\n";
    return 2;
  }
  if (failed(MlirOptMain(output->os(), std::move(input), registry, config)))
    return 2;
  output->keep();
  return 0;
}
