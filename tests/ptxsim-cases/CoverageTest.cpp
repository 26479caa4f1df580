//===- CoverageTest.cpp - every opcode of the simulator has a case --------===//
//
// Opcodes.def is the list of what the simulator executes; whatever is in it and
// in no case file, nor in a kernel of the other tests of the simulator (mma here, the
// asynchronous units in folders of their own), is named here.
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

#include "ptxsim/OpcodeTable.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace msa::ptxsim;
using namespace msa::ptxsim::cases;

namespace {

/// The sources of all tests of the simulator, whose kernels are text in them.
std::string testSources() {
  std::ostringstream all;
  for (const char *folder :
       {"ptxsim", "ptxsim-async", "ptxsim-cases", "ptxsim-tcgen05", "ptxsim-tma", "ptxsim-wgmma"}) {
    const std::filesystem::path path = std::filesystem::path(MSA_CASES_DIR) / ".." / folder;
    if (std::filesystem::is_directory(path))
      for (const auto &entry : std::filesystem::directory_iterator(path))
        if (entry.path().extension() == ".cpp" || entry.path().extension() == ".h")
          all << std::ifstream(entry.path()).rdbuf() << '\n';
  }
  return all.str();
}

/// Whether `name`, which may have dots ("cp.async"), occurs as an instruction in the text.
bool mentions(const std::string &text, const std::string &name) {
  for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    bool starts = at == 0 || text.find_last_of(" ;:{\"\n", at - 1) == at - 1;
    size_t end = at + name.size();
    bool ends = end == text.size() || std::string(" .;").find(text[end]) != std::string::npos;
    if (starts && ends)
      return true;
  }
  return false;
}

} // namespace

TEST_CASE("every executable opcode has a case", "[coverage]") {
  std::string missing;
  std::set<std::string> seen;
  const std::string sources = testSources();
  for (const OpcodeInfo &row : opcodeTable()) {
    std::string name(row.name);
    if (!row.executable || !seen.insert(name).second)
      continue;
    bool found = mentions(sources, name);
    for (const Case &each : allCases()) {
      found = found || mentions(each.text, name);
      for (const std::string &line : each.moduleLines)
        found = found || mentions(line, name);
    }
    if (!found)
      missing += name + " ";
  }
  CHECK(missing == "");
}

TEST_CASE("mentions finds instructions, not parts of words", "[coverage]") {
  REQUIRE(mentions("add.cc.u32 %d, %a, %b; addc.u32 %q, 0, 0", "addc"));
  REQUIRE_FALSE(mentions("addc.u32 %q, 0, 0", "add"));
  REQUIRE(mentions("@%p bra $skip", "bra"));
  REQUIRE(mentions("exit", "exit"));
  REQUIRE_FALSE(mentions("cp.async.ca.shared", "async"));
}
