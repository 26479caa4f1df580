//===- FindDevice.h - a device by the word of `--device` ------------------===//
#pragma once

#include "device/SimDevice.h"

#include <memory>
#include <string_view>

namespace msa {

/// "sim", or "cuda[:N]". Missing when the device is not here; invalid, with the accepted words, for
/// anything else.
Expected<std::unique_ptr<Device>> findDevice(std::string_view word, const SimDeviceOptions & = {});

} // namespace msa
