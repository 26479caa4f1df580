//===- PtxasTest.cpp - every case is PTX that ptxas accepts ---------------===//
//
// The arbiter of syntax. All cases of one target and version are one module, so
// that the whole folder needs a handful of ptxas runs.
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

using namespace msa::ptxsim::cases;

TEST_CASE("ptxas accepts every case", "[ptxas]") {
  if (std::string(MSA_PTXAS).empty()) {
    WARN("SKIPPED: ptxas not found (CUDA toolkit, or -DMSA_PTXAS=PATH)");
    return;
  }
  std::map<std::pair<std::string, std::string>, std::vector<const Case *>> groups;
  for (const Case &each : allCases())
    groups[{each.target, each.version}].push_back(&each);
  for (const auto &[key, list] : groups) {
    std::string base = std::string(MSA_WORK_DIR) + "/cases-" + key.first + "-" + key.second;
    std::ofstream file(base + ".ptx");
    file << ".version " << key.second << "\n.target " << key.first << "\n.address_size 64\n";
    for (size_t i = 0; i < list.size(); ++i) {
      std::string unique = "n" + std::to_string(i) + "_";
      file << "// " << list[i]->where() << "\n"
           << kernelText(*list[i], "entry" + std::to_string(i), unique);
    }
    file.close();
    std::string command = "'" MSA_PTXAS "' -O1 -arch=" + key.first + " -o /dev/null '" + base +
                          ".ptx' >'" + base + ".log' 2>&1";
    bool accepted = std::system(command.c_str()) == 0;
    std::ostringstream log;
    log << std::ifstream(base + ".log").rdbuf();
    INFO(base << ".ptx\n" << log.str());
    CHECK(accepted);
  }
}
