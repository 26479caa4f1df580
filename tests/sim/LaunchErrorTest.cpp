//===- LaunchErrorTest.cpp - launch files that are wrong --------------------===//
#include "LaunchSpec.h"

#include <catch2/catch.hpp>

using namespace msa;
using namespace msa::sim;

namespace {
struct Row {
  const char *text, *words;
};
} // namespace

static void check(const std::string &text, const Row &row) {
  Expected<LaunchSpec> spec = parseLaunchSpec(text, "l.json");
  CAPTURE(text);
  REQUIRE_FALSE(spec.ok());
  CHECK(spec.status().exitCode() == 2);
  INFO(spec.status().message());
  CHECK(spec.status().message().find("l.json: ") == 0);
  CHECK(spec.status().message().find(row.words) != std::string::npos);
}

TEST_CASE("wrong launch files") {
  auto row =
      GENERATE(Row{"", "not JSON"}, Row{"[]", "expected an object"}, Row{"{}", "entry"},
               Row{R"({"entry": 5})", "entry"}, Row{R"({"entry": "k", "gird": [1,1,1]})", "'grid'"},
               Row{R"({"entry": "k", "grid": []})", "1 to 3"},
               Row{R"({"entry": "k", "grid": [1,1,1,1]})", "4 numbers"},
               Row{R"({"entry": "k", "grid": [0]})", "grid[0] is 0"},
               Row{R"({"entry": "k", "block": [-1]})", "block[0] is -1"},
               Row{R"({"entry": "k", "grid": [1.5]})", "grid"},
               Row{R"({"entry": "k", "grid": [4294967296]})", "accepted: 1 to 2147483647"},
               Row{R"({"entry": "k", "grid": [3], "cluster": [2]})", "does not divide"},
               Row{R"({"entry": "k", "dynamic_shared_bytes": 100000000})", "dynamic_shared_bytes"},
               Row{R"({"entry": "k", "dynamic_shared_bytes": -1})", "dynamic_shared_bytes"},
               Row{R"({"entry": "k", "params": {}})", "params"},
               Row{R"({"entry": "k", "entry": "j"})", "twice"});
  check(row.text, row);
}

TEST_CASE("wrong buffers") {
  auto row = GENERATE(
      Row{R"({})", "neither file nor bytes"},
      Row{R"({"file": "a", "bytes": 4})", "both file and bytes"}, Row{R"({"file": ""})", "empty"},
      Row{R"({"file": "a", "fill": "zero"})", "a fill for what a file fills"},
      Row{R"({"bytes": -4})", "bytes"},
      Row{R"({"bytes": 2000000000000})", "accepted: at most 1099511627776"},
      Row{R"({"bytes": 4, "fill": "posion"})", "'poison'"},
      Row{R"({"bytes": 4, "fill": "poison", "dtype": "bf15"})", "'bf16'"},
      Row{R"({"bytes": 100000000000, "fill": "poison", "dtype": "u8"})",
          "accepted: at most 17179869184"},
      Row{R"({"bytes": 4, "sav": {}})", "'save'"}, Row{R"({"bytes": 4, "save": {}})", "file"},
      Row{R"({"bytes": 4, "save": 5})", "save"},
      Row{R"({"bytes": 4, "save": {"file": "", "dtype": "<f4", "shape": [1]}})", "empty"},
      Row{R"({"bytes": 4, "save": {"file": "a", "dtype": "f4", "shape": [1]}})", "dtype"},
      Row{R"({"bytes": 4, "save": {"file": "/tmp/a.npy", "dtype": "<f4", "shape": [1]}})",
          "leaves the folder"},
      Row{R"({"bytes": 4, "save": {"file": "b/../../a.npy", "dtype": "<f4", "shape": [1]}})",
          "leaves the folder"},
      Row{R"({"bytes": 4, "save": {"file": "a", "dtype": "<f4", "shape": [1]}},
             "z": {"bytes": 4, "save": {"file": "a", "dtype": "<f4", "shape": [1]}})",
          "saved to 'a' too"},
      Row{R"({"bytes": 4, "save": {"file": "a", "dtype": "<f4", "shape": [2]}})",
          "takes 8 bytes, the buffer has 4"},
      Row{R"({"bytes": 4, "save": {"file": "a", "dtype": "<f4", "shape": [-1]}})",
          "not the shape of an array"},
      Row{R"({"bytes": 4, "save": {"file": "a", "dtype": "<f4", "shape": [4294967296, 4294967296, 4]}})",
          "not the shape of an array"},
      Row{R"({"bytes": 4, "save": {"file": "a", "dtype": "<f4", "shape": [1], "order": "C"}})",
          "order"});
  check(std::string(R"({"entry": "k", "buffers": {"x": )") + row.text + "}}", row);
}

TEST_CASE("wrong parameters") {
  auto row = GENERATE(
      Row{R"(5)", "params[0]"}, Row{R"({})", "no value"}, Row{R"({"i32": 5})", "'s32'"},
      Row{R"({"s32": 5, "u32": 5})", "both"}, Row{R"({"s32": 2147483648})", "32 bits"},
      Row{R"({"u32": -1})", "u32"}, Row{R"({"u32": 4294967296})", "32 bits"},
      Row{R"({"u64": -1})", "u64"}, Row{R"({"u64": 1.5})", "u64"}, Row{R"({"f32": "1"})", "f32"},
      Row{R"({"f32": 1e39})", "no 32-bit float"}, Row{R"({"buffer": "y"})", "no buffer"},
      Row{R"({"buffer": "abd"})", "did you mean 'abc'"},
      Row{R"({"buffer": "abc", "ofset": 4})", "'offset'"},
      Row{R"({"buffer": "abc", "offset": 16})", "outside of buffer 'abc' of 16 bytes"},
      Row{R"({"buffer": "abc", "offset": -1})", "offset"}, Row{R"({"bytes": "0"})", "two a byte"},
      Row{R"({"bytes": "0g"})", "not hexadecimal"}, Row{R"({"s32": 5, "offset": 0})", "offset"},
      Row{R"({"bytes": "00", "patch": [{"at": 0, "buffer": "abc"}]})",
          "8 bytes at 0 are outside of 1 bytes"},
      Row{R"({"bytes": "0000000000000000", "patch": [{"at": 1, "buffer": "abc"}]})",
          "outside of 8 bytes"},
      Row{R"({"bytes": "0000000000000000", "patch": [{"at": 18446744073709551615, "buffer": "abc"}]})",
          "outside"},
      Row{R"({"bytes": "0000000000000000", "patch": [{"buffer": "abc"}]})", "at"},
      Row{R"({"bytes": "0000000000000000", "patch": [{"at": 0}]})", "accepted: one of"},
      Row{R"({"bytes": "0000000000000000", "patch": [{"at": 0, "tensor_map": "t"}]})",
          "no tensor map"},
      Row{R"({"bytes": "000000000000000000000000", "patch": [{"at": 0, "buffer": "abc"}, {"at": 4, "buffer": "abc"}]})",
          "overlaps"},
      Row{R"({"tensor_map": "t"})", "no tensor map"});
  check(std::string(R"({"entry": "k", "buffers": {"abc": {"bytes": 16}}, "params": [)") + row.text +
            "]}",
        row);
}

TEST_CASE("wrong tensor maps") {
  // Each row replaces one member of a map that is right.
  struct Change {
    const char *key, *value, *words;
  };
  auto change = GENERATE(
      Change{"buffer", "\"b\"", "no buffer 'b'"}, Change{"type", "\"bf61\"", "'bf16'"},
      Change{"shape", "[]", "1 to 5"}, Change{"shape", "[128,0]", "shape[1] is 0"},
      Change{"shape", "[128]", "strides_bytes has 1 numbers; accepted: 0"},
      Change{"strides_bytes", "[250]", "multiple of 16"},
      Change{"strides_bytes", "[-16]", "strides_bytes[0] is -16"},
      Change{"box", "[64]", "box has 1 numbers; accepted: 2"},
      Change{"box", "[64,257]", "accepted: 1 to 256"}, Change{"box", "[4,8]", "multiple of 16"},
      Change{"box", "[128,8]", "accepted with this swizzle: at most 128"},
      Change{"element_strides", "[1,9]", "accepted: 1 to 8"},
      Change{"swizzle", "\"256B\"", "unknown swizzle"},
      Change{"interleave", "\"16B\"", "accepted: none"},
      Change{"oob_fill", "\"one\"", "accepted: zero, nan"},
      Change{"offset", "8", "accepted: a multiple of 16"},
      Change{"offset", "16", "ends at byte 65552 of buffer 'a', which has 65536"},
      Change{"shape", "[128,4294967296]", "ends at byte"}, Change{"colour", "1", "colour"});
  std::vector<std::pair<std::string, std::string>> members = {
      {"buffer", "\"a\""},          {"offset", "0"},
      {"type", "\"bf16\""},         {"shape", "[128,256]"},
      {"strides_bytes", "[256]"},   {"box", "[64,128]"},
      {"element_strides", "[1,1]"}, {"swizzle", "\"128B\""},
      {"interleave", "\"none\""},   {"oob_fill", "\"zero\""}};
  auto text = [&] {
    std::string out =
        R"({"entry": "k", "buffers": {"a": {"bytes": 65536}}, "tensor_maps": {"t": {)";
    for (auto &[key, value] : members)
      out += (out.back() == '{' ? "\"" : ", \"") + key + "\": " + value;
    return out + "}}}";
  };
  REQUIRE(parseLaunchSpec(text(), "l.json").ok());
  bool found = false;
  for (auto &[key, value] : members)
    if (key == change.key) {
      value = change.value;
      found = true;
    }
  if (!found)
    members.emplace_back(change.key, change.value);
  check(text(), Row{"", change.words});
}
