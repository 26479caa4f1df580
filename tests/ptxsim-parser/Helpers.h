//===- Helpers.h - parse a fragment in a test ------------------------------===//
#pragma once

#include "ptxsim/Parser.h"

#include <catch2/catch.hpp>

#include <string>

namespace msa::ptxsim {

/// The three lines before every fragment, so its first line is line 4.
inline const std::string moduleHead = ".version 9.0\n.target sm_90a\n.address_size 64\n";

inline Module parseOk(const std::string &text) {
  Expected<Module> module = parseModule(moduleHead + text, "t.ptx");
  INFO(text);
  INFO(module.status().message());
  REQUIRE(module.ok());
  return std::move(*module);
}

/// Instructions in a kernel with a few registers of each kind; the body begins on line 6.
inline Module parseBody(const std::string &body) {
  return parseOk(".visible .entry k(.param .u64 arg, .param .align 64 .b8 map[128]) {\n"
                 ".reg .b32 %r<100>; .reg .b64 %rd<100>; .reg .f32 %f<9>; .reg .pred %p<9>;\n" +
                 body + "\n}\n");
}

/// The message of a text that must be refused.
inline std::string parseError(const std::string &text) {
  Expected<Module> module = parseModule(moduleHead + text, "t.ptx");
  INFO(text);
  REQUIRE_FALSE(module.ok());
  REQUIRE(module.status().code() == StatusCode::InvalidInput);
  return module.status().message();
}

/// The name of the register that an operand names.
inline std::string registerName(const Module &module, const Operand &operand) {
  REQUIRE(operand.kind == Operand::Kind::Register);
  return module.functions.back().registers.at(operand.index).name;
}

} // namespace msa::ptxsim
