//===- CudaFrontEnd.cpp - CUDA C++ to PTX by NVRTC ------------------------===//
//
// The declarations below are NVRTC's C interface as it has been since CUDA 7;
// only plain C types cross it.
//
//===----------------------------------------------------------------------===//
#include "compiler/CudaFrontEnd.h"

#include <fmt/format.h>

namespace msa {
namespace {

using NvrtcProgram = struct OpaqueNvrtcProgram *;

/// nvrtcResult's values that are told apart.
enum NvrtcResult : int { nvrtcSuccess = 0, nvrtcInvalidOption = 5, nvrtcCompilation = 6 };

/// "compute_80" for "sm_80"; the suffix of "sm_90a" stays.
std::string computeArch(const std::string &target) {
  return "compute_" + target.substr(target.starts_with("sm_") ? 3 : 0);
}

/// The first release whose --minimal leaves out built-in declarations that no kernel of ours uses
/// (textures, surfaces, device-side launches): the same PTX, 5 % sooner.
constexpr int minimalSince = 13;

std::vector<std::string> optionsFor(const CudaFrontEnd::Source &source, int nvrtcMajor) {
  // No fast math, no -ftz: clause T3 needs denormals, and the reference models IEEE roundings.
  std::vector<std::string> options = {"--gpu-architecture=" + computeArch(source.target),
                                      "--std=c++17", "--no-source-include"};
  if (nvrtcMajor >= minimalSince)
    options.push_back("--minimal");
  if (source.lineInfo)
    options.push_back("--generate-line-info");
  for (const auto &[name, value] : source.defines)
    options.push_back(fmt::format("-D{}={}", name, value));
  return options;
}

} // namespace

struct CudaFrontEnd::Api {
  SharedLibrary library;
  int major = 0, minor = 0;

  int (*version)(int *major, int *minor);
  int (*createProgram)(NvrtcProgram *, const char *source, const char *name, int headerCount,
                       const char *const *headers, const char *const *includeNames);
  int (*destroyProgram)(NvrtcProgram *);
  int (*compileProgram)(NvrtcProgram, int optionCount, const char *const *options);
  int (*ptxSize)(NvrtcProgram, size_t *);
  int (*ptx)(NvrtcProgram, char *);
  int (*logSize)(NvrtcProgram, size_t *);
  int (*log)(NvrtcProgram, char *);
  const char *(*errorString)(int);

  explicit Api(SharedLibrary lib) : library(std::move(lib)) {}

  /// False when a function is not there.
  bool resolve() {
    auto get = [&](auto &fn, const char *name) {
      fn = library.find<std::remove_pointer_t<std::remove_reference_t<decltype(fn)>>>(name);
      return fn != nullptr;
    };
    return get(version, "nvrtcVersion") && get(createProgram, "nvrtcCreateProgram") &&
           get(destroyProgram, "nvrtcDestroyProgram") &&
           get(compileProgram, "nvrtcCompileProgram") && get(ptxSize, "nvrtcGetPTXSize") &&
           get(ptx, "nvrtcGetPTX") && get(logSize, "nvrtcGetProgramLogSize") &&
           get(log, "nvrtcGetProgramLog") && get(errorString, "nvrtcGetErrorString") &&
           version(&major, &minor) == nvrtcSuccess;
  }

  /// Fetches a text by its pair of size and copy functions; both count the final NUL.
  std::string text(NvrtcProgram program, int (*size)(NvrtcProgram, size_t *),
                   int (*copy)(NvrtcProgram, char *)) const {
    size_t bytes = 0;
    if (size(program, &bytes) != nvrtcSuccess || bytes == 0)
      return {};
    std::string result(bytes, '\0');
    if (copy(program, result.data()) != nvrtcSuccess)
      return {};
    result.resize(bytes - 1);
    return result;
  }
};

CudaFrontEnd::CudaFrontEnd(std::unique_ptr<Api> a) : api(std::move(a)) {}
CudaFrontEnd::~CudaFrontEnd() = default;

Expected<std::shared_ptr<CudaFrontEnd>> CudaFrontEnd::open(const ToolchainPaths &paths) {
  auto file = findLibrary(paths, "libnvrtc.so");
  if (!file)
    return missingTool("NVRTC (libnvrtc.so), which compiles the CUDA route's kernels,", paths,
                       "cuda-nvrtc-13-0", "nvidia-cuda-nvrtc");
  // NVRTC opens its built-ins by SONAME and has no run path of its own: opened here by their full
  // path they are found wherever the roots lie.
  if (auto builtins = findLibrary({{file->parent_path().parent_path()}}, "libnvrtc-builtins.so"))
    (void)SharedLibrary::open(*builtins).ok();
  MSA_ASSIGN_OR_RETURN(auto library, SharedLibrary::open(*file));
  auto api = std::make_unique<Api>(std::move(library));
  if (!api->resolve())
    return Status::missing(fmt::format("{} is not a usable NVRTC: a function of its interface is "
                                       "missing; CUDA {} is known to work",
                                       file->string(), pinnedCudaVersion));
  return std::shared_ptr<CudaFrontEnd>(new CudaFrontEnd(std::move(api)));
}

std::string CudaFrontEnd::version() const {
  return fmt::format("nvrtc {}.{}", api->major, api->minor);
}

Expected<std::string> CudaFrontEnd::compileToPtx(const Source &source) const {
  std::vector<const char *> headerTexts, headerNames;
  for (const auto &[name, text] : source.headers) {
    headerNames.push_back(name.c_str());
    headerTexts.push_back(text.c_str());
  }
  NvrtcProgram raw = nullptr;
  if (int code =
          api->createProgram(&raw, source.text.c_str(), source.name.c_str(),
                             int(headerTexts.size()), headerTexts.data(), headerNames.data());
      code != nvrtcSuccess)
    return Status::internal(fmt::format("{}: {} cannot create a program: {}", source.name,
                                        version(), api->errorString(code)));
  auto destroy = [this](NvrtcProgram p) { (void)api->destroyProgram(&p); };
  std::unique_ptr<OpaqueNvrtcProgram, decltype(destroy)> program(raw, destroy);

  std::vector<std::string> options = optionsFor(source, api->major);
  std::vector<const char *> optionTexts;
  optionTexts.reserve(options.size());
  for (const std::string &option : options)
    optionTexts.push_back(option.c_str());
  int code = api->compileProgram(raw, int(optionTexts.size()), optionTexts.data());
  if (code != nvrtcSuccess) {
    std::string message = fmt::format("{}: {} for {}: {}", source.name, version(), source.target,
                                      api->errorString(code));
    if (std::string log = api->text(raw, api->logSize, api->log); !log.empty())
      message += "\n" + log;
    bool theirFault = code == nvrtcCompilation || code == nvrtcInvalidOption;
    return Status(theirFault ? StatusCode::InvalidInput : StatusCode::Internal, message);
  }
  std::string ptx = api->text(raw, api->ptxSize, api->ptx);
  if (ptx.empty())
    return Status::internal(fmt::format("{}: {} gave no PTX", source.name, version()));
  return ptx;
}

} // namespace msa
