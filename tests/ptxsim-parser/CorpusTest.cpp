//===- CorpusTest.cpp - PTX that other compilers wrote ----------------------===//
//
// The kernels of ../shared/ptx beside the source tree. Where they are absent the
// test says so and passes.
//
//===----------------------------------------------------------------------===//
#include "Helpers.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

using namespace msa;
using namespace msa::ptxsim;

TEST_CASE("every third-party kernel parses") {
  std::filesystem::path folder = std::filesystem::path(MSA_SOURCE_DIR) / ".." / "shared" / "ptx";
  if (!std::filesystem::is_directory(folder)) {
    std::cerr << "SKIPPED: no third-party kernels at " << folder << "\n";
    return;
  }
  size_t files = 0;
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    std::filesystem::path path = entry.path() / "kernel.ptx";
    if (!std::filesystem::is_regular_file(path))
      continue;
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    Expected<Module> module = parseModule(text.str(), path.parent_path().filename().string());
    INFO(module.status().message());
    REQUIRE(module.ok());
    // Each file is one kernel.
    size_t entries = 0;
    for (const Function &function : module->functions) {
      entries += function.entry;
      if (function.entry)
        CHECK(function.body.size() > 10);
      for (const Instruction &instruction : function.body)
        for (const Operand &operand : instruction.operands)
          if (operand.kind == Operand::Kind::Label && instruction.opcode == "bra")
            CHECK(operand.index <= function.body.size());
    }
    CHECK(entries == 1);
    ++files;
  }
  CHECK(files >= 31);
}
