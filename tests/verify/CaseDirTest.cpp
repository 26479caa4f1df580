//===- CaseDirTest.cpp - case directories: round trip and refusals --------===//
#include "TestCase.h"

#include "support/File.h"
#include "support/Npy.h"
#include "verify/CaseDir.h"

#include <filesystem>
#include <unistd.h>

using namespace msa;
using namespace msa::verify;
namespace fs = std::filesystem;

namespace {

/// A folder that is removed at the end of the test.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("msa-casedir-" + std::to_string(getpid()));
  Folder() { fs::remove_all(path); }
  ~Folder() { fs::remove_all(path); }
};

Case exampleCase() {
  Plan plan = *findPreset("odd-192");
  plan.op = Op::SparseAttention;
  plan.target = "sm_80";
  plan.precision.q = plan.precision.k = DType::E4M3;
  plan.precision.v = DType::MXFP4;
  auto c = generate(plan, {3, 1}, {200, 64}, phasesOf(plan.op), {});
  REQUIRE(c.ok());
  return *c;
}

std::string failure(const fs::path &path) {
  auto c = loadCase(path);
  CHECK((c.ok() || c.status().code() == StatusCode::InvalidInput));
  return c.status().message();
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

void save(const fs::path &path, const std::string &text) {
  REQUIRE(writeFileAtomic(path, text).ok());
}

} // namespace

TEST_CASE("A case comes back as it was saved") {
  Folder folder;
  Case c = exampleCase();
  REQUIRE(evaluate(c, c.plan.op).message() == "");
  REQUIRE(saveCase(folder.path, c).message() == "");
  auto header = loadCaseHeader(folder.path);
  REQUIRE(header.status().message() == "");
  CHECK(semanticDifference(header->plan, c.plan, true) == "");
  CHECK(header->queryLens == std::vector<int64_t>{3, 1});
  auto back = loadCase(folder.path);
  REQUIRE(back.status().message() == "");
  REQUIRE(back->tensors.size() == c.tensors.size());
  for (const auto &[name, tensor] : c.tensors) {
    INFO(name);
    CHECK(back->tensors[name].bytes == tensor.bytes);
    CHECK(back->tensors[name].shape == tensor.shape);
    CHECK(back->tensors[name].element == tensor.element);
  }
}

TEST_CASE("Keys that are left out have their defaults; scales that are absent are 1") {
  Folder folder;
  fs::create_directories(folder.path);
  save(folder.path / "case.json",
       R"({"op": "topk_select", "topk": 4, "query_lens": [1], "kv_lens": [5]})");
  auto c = loadCase(folder.path);
  REQUIRE(c.status().message() == "");
  CHECK(c->plan.blockSize == 128);
  CHECK(c->plan.topk == 4);
  CHECK(c->tensors.size() == 2); // cu_seqlens, which the lengths give
  CHECK(c->tensors["cu_seqlens_k"].as<int32_t>()[1] == 5);
}

TEST_CASE("What does not fit is refused, with the file") {
  Folder folder;
  CHECK(contains(failure(folder.path), "case.json"));
  Case c = exampleCase();
  REQUIRE(saveCase(folder.path, c).message() == "");
  fs::path json = folder.path / "case.json";
  SECTION("malformed JSON") {
    save(json, "{");
    CHECK(contains(failure(folder.path), "case.json"));
  }
  SECTION("no object") {
    save(json, "[1]");
    CHECK(contains(failure(folder.path), "expected an object"));
  }
  SECTION("unknown key") {
    save(json, R"({"op": "prefill", "blocksize": 64, "query_lens": [1], "kv_lens": [1]})");
    CHECK(contains(failure(folder.path), "block_size"));
  }
  SECTION("no lengths") {
    save(json, R"({"op": "prefill"})");
    CHECK(contains(failure(folder.path), "query_lens"));
  }
  SECTION("illegal plan") {
    save(json, R"({"op": "prefill", "topk": 65, "query_lens": [1], "kv_lens": [1]})");
    CHECK(contains(failure(folder.path), "topk = 65"));
  }
  SECTION("lengths of the wrong type") {
    save(json, R"({"op": "prefill", "query_lens": ["1"], "kv_lens": [1]})");
    CHECK(contains(failure(folder.path), "query_lens"));
  }
  SECTION("element type") {
    REQUIRE(writeNpy(folder.path / "k.npy",
                     {"<f4", {264, 4, 192}, std::vector<uint8_t>(264 * 4 * 192 * 4)})
                .ok());
    CHECK(contains(failure(folder.path), "tensor k: element type <f4, expected |u1"));
  }
  SECTION("shape") {
    REQUIRE(
        writeNpy(folder.path / "k.npy", {"|u1", {264, 4, 96}, std::vector<uint8_t>(264 * 4 * 96)})
            .ok());
    CHECK(contains(failure(folder.path), "tensor k: shape [264, 4, 96], expected [any, 4, 192]"));
  }
  SECTION("block scale") {
    REQUIRE(writeNpy(folder.path / "v_block_scale.npy",
                     {"|u1", {264, 4, 12}, std::vector<uint8_t>(264 * 4 * 12)})
                .ok());
    CHECK(contains(failure(folder.path),
                   "tensor v_block_scale: shape [264, 4, 12], expected [any, 4, 6]"));
  }
  SECTION("scale that is not positive (N2)") {
    REQUIRE(writeNpy(folder.path / "k_scale.npy", {"<f4", {1}, std::vector<uint8_t>(4)}).ok());
    CHECK(contains(failure(folder.path), "positive and finite"));
  }
  SECTION("scale of the wrong length") {
    REQUIRE(writeNpy(folder.path / "k_scale.npy", {"<f4", {3}, std::vector<uint8_t>(12)}).ok());
    CHECK(contains(failure(folder.path), "expected [1] or [4]"));
  }
  SECTION("scale beside a type that has none") {
    REQUIRE(writeNpy(folder.path / "v_scale.npy", {"<f4", {1}, {0, 0, 0, 0x40}}).ok());
    CHECK(contains(failure(folder.path), "takes no such scale"));
    REQUIRE(writeNpy(folder.path / "v_scale.npy", {"<f4", {1}, {0, 0, 0x80, 0x3F}})
                .ok()); // 1 changes nothing
    CHECK(failure(folder.path) == "");
  }
  SECTION("a slip in a name") {
    fs::copy(folder.path / "selection.npy", folder.path / "selections.npy");
    CHECK(contains(failure(folder.path), "did you mean selection.npy"));
  }
  SECTION("other files are left alone") {
    fs::copy(folder.path / "selection.npy", folder.path / "what_the_oracle_said.npy");
    std::vector<std::string> ignored;
    CHECK(loadCase(folder.path, c.plan, &ignored).ok());
    CHECK(ignored == std::vector<std::string>{"what_the_oracle_said.npy"});
  }
  SECTION("rows that disagree") {
    REQUIRE(
        writeNpy(folder.path / "k.npy", {"|u1", {300, 4, 192}, std::vector<uint8_t>(300 * 4 * 192)})
            .ok());
    auto back = loadCase(folder.path);
    REQUIRE(back.ok());
    CHECK(contains(checkInputs(*back, {Op::AttentionSplit}).message(),
                   "tensor v: 264 rows, but k has 300"));
  }
}

TEST_CASE("The first difference of two plans is named") {
  Plan a, b;
  CHECK(semanticDifference(a, b, true) == "");
  b.op = Op::TopkSelect;
  b.target = "sm_75";
  CHECK(semanticDifference(a, b, false) == "");
  CHECK(semanticDifference(a, b, true) == "op: \"prefill\" and \"topk_select\"");
  b.precision.k = DType::E4M3;
  CHECK(semanticDifference(a, b, false) == "precision.k: \"bf16\" and \"e4m3\"");
}
