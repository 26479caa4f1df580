//===- FindDevice.cpp - a device by the word of `--device` ----------------===//
//
// See FindDevice.h.
//
//===----------------------------------------------------------------------===//
#include "device/FindDevice.h"

#include "support/NearestWord.h"

#include <algorithm>

namespace msa {
namespace {

/// "cuda" or "cuda:N".
bool isCuda(std::string_view word) {
  if (!word.starts_with("cuda"))
    return false;
  word.remove_prefix(4);
  return word.empty() ||
         (word.size() > 1 && word.size() <= 4 && word[0] == ':' &&
          std::all_of(word.begin() + 1, word.end(), [](char c) { return c >= '0' && c <= '9'; }));
}

} // namespace

Expected<std::unique_ptr<Device>> findDevice(std::string_view word,
                                             const SimDeviceOptions &options) {
  if (word == "sim") {
    MSA_ASSIGN_OR_RETURN(std::unique_ptr<SimDevice> device, makeSimDevice(options));
    return std::unique_ptr<Device>(std::move(device));
  }
  if (isCuda(word))
    return Status::missing("device " + std::string(word) +
                           ": this version runs on the simulator only; the CUDA device comes with "
                           "the runtime issue. Use --device sim");
  return Status::invalid("unknown device " + quoteText(word) + suggestion(word, {"sim", "cuda"}) +
                         ", cuda:N");
}

} // namespace msa
