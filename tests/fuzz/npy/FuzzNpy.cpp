//===- FuzzNpy.cpp - mutated .npy files -----------------------------------===//
//
// An accepted array must have exactly the bytes that its header says.
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"
#include "support/Npy.h"

#include <cstdlib>

namespace {

std::string file(const std::string &header, size_t dataBytes, int major) {
  std::string text = "\x93NUMPY";
  text += static_cast<char>(major);
  text += '\0';
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i)
    text += static_cast<char>(header.size() >> (8 * i) & 0xff);
  return text + header + std::string(dataBytes, '\x11');
}

bool run(std::string_view text) {
  msa::Expected<msa::NpyArray> array =
      msa::parseNpy({reinterpret_cast<const uint8_t *>(text.data()), text.size()}, "fuzz.npy");
  if (!array.ok())
    return false;
  if (static_cast<uint64_t>(array->elements()) *
          static_cast<uint64_t>(msa::npyItemBytes(array->dtype)) !=
      array->data.size())
    std::abort();
  return true;
}

} // namespace

int main(int argc, char **argv) {
  msa::fuzz::Target target;
  target.name = "npy";
  target.seeds = {file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", 24, 1),
                  file("{'descr': '|u1', 'fortran_order': False, 'shape': (5,), }", 5, 2),
                  file("{\"shape\": (), \"descr\": \"<i8\", \"fortran_order\": False}", 8, 3),
                  file("{'descr': '<u2', 'fortran_order': False, 'shape': (0, 7), }", 0, 1)};
  target.dictionary = {"(",
                       ")",
                       ",",
                       "'",
                       "{",
                       "}",
                       "True",
                       "'shape':",
                       "[('a', '<f4')]",
                       ">f4",
                       std::string("\xff\xff\xff\x7f", 4)};
  target.run = run;
  return msa::fuzz::runFuzz(target, argc, argv);
}
