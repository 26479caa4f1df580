//===- LaunchSpec.h - what `msa-sim run --launch` reads --------------------===//
//
// A launch specification (docs: interfaces, section 4) as data. Parsing checks
// everything that the text alone can get wrong, so that what follows (Launch.h)
// deals with files and addresses only. Nothing here opens a file.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"
#include "ptxsim/Simulator.h"
#include "ptxsim/TensorMap.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace msa::sim {

/// Most bytes that a buffer may have; memory that nobody touches costs nothing.
inline constexpr uint64_t mostBufferBytes = uint64_t{1} << 40;
/// Most bytes of a buffer that is read from or saved to a file, or filled with a pattern.
inline constexpr uint64_t mostResidentBytes = uint64_t{16} << 30;

/// How an output leaves: an .npy file. `shape` is outermost first.
struct SaveSpec {
  std::string file, dtype;
  std::vector<int64_t> shape;
  uint64_t bytes = 0; ///< of the whole array
};

/// One allocation of global memory. Either `file` or `bytes` is given.
struct BufferSpec {
  std::string name;
  std::string file;   ///< empty: none
  uint64_t bytes = 0; ///< without a file
  ptxsim::Initial fill = ptxsim::Initial::Zero;
  /// Little-endian bytes repeated over the buffer, when `dtype` asks for another poison than
  /// 32-bit.
  std::vector<uint8_t> pattern;
  std::optional<SaveSpec> save;
};

/// A description for cuTensorMapEncodeTiled; innermost dimension first.
struct TensorMapSpec {
  std::string name, buffer;
  uint64_t offset = 0;
  ptxsim::TensorMap fields; ///< without the address
  /// Bytes from the start of the buffer to the end of the tensor.
  uint64_t extent = 0;
};

/// An address (8 bytes) or a tensor map (128) written over a `bytes` parameter.
struct PatchSpec {
  uint64_t at = 0;
  std::string buffer, tensorMap; ///< one of them
  uint64_t offset = 0;           ///< of an address
};

struct ParameterSpec {
  enum class Kind : uint8_t { Buffer, Integer, Float, Bytes, TensorMap };
  Kind kind = Kind::Integer;
  std::string text;           ///< the JSON, for messages
  std::string buffer;         ///< Buffer
  uint64_t offset = 0;        ///< Buffer
  std::string tensorMap;      ///< TensorMap
  std::vector<uint8_t> bytes; ///< Integer, Float, Bytes: little-endian
  std::vector<PatchSpec> patches;
};

struct LaunchSpec {
  std::string name; ///< of the file, for messages
  std::string entry;
  ptxsim::LaunchConfig config; ///< without parameters
  std::vector<BufferSpec> buffers;
  std::vector<TensorMapSpec> tensorMaps;
  std::vector<ParameterSpec> parameters;

  const BufferSpec *findBuffer(std::string_view) const;
};

/// Parses the JSON text; `name` begins every message.
Expected<LaunchSpec> parseLaunchSpec(std::string_view text, const std::string &name);

/// Checks the parameters against what the kernel declares: number, size and type.
Status checkParameters(const LaunchSpec &, const ptxsim::Function &);

} // namespace msa::sim
