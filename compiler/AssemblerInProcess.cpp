//===- AssemblerInProcess.cpp - nvPTXCompiler and nvJitLink ---------------===//
//
// Both are C interfaces of one shape (create, compile, fetch binary and logs),
// opened with dlopen and declared here.
//
//===----------------------------------------------------------------------===//
#include "compiler/AssemblerKinds.h"

#include <fmt/format.h>

#include <array>
#include <type_traits>

namespace msa::assemblers {
namespace {

using Handle = struct OpaqueAssembly *;

/// Looks a function up into a pointer of its type; false when it is not there.
template <typename Fn> bool resolve(const SharedLibrary &library, Fn *&fn, const char *name) {
  fn = library.find<Fn>(name);
  return fn != nullptr;
}

/// Fetches a log by its pair of size and copy functions. Sizes may or may not count a final NUL.
std::string fetchLog(Handle handle, int (*size)(Handle, size_t *), int (*copy)(Handle, char *)) {
  size_t bytes = 0;
  if (size(handle, &bytes) != 0 || bytes == 0)
    return {};
  std::string log(bytes + 1, '\0');
  if (copy(handle, log.data()) != 0)
    return {};
  log.resize(log.find('\0'));
  return log;
}

Status unusable(const SharedLibrary &library, std::string_view what) {
  return Status::missing(fmt::format("{} is not a usable {}: a function of its interface is "
                                     "missing; release {} is known to work",
                                     library.path().string(), what, pinnedCudaVersion));
}

class NvPtxCompiler final : public Assembler {
public:
  explicit NvPtxCompiler(SharedLibrary l) : library(std::move(l)) {}

  bool resolveAll() {
    return resolve(library, getVersion, "nvPTXCompilerGetVersion") &&
           resolve(library, create, "nvPTXCompilerCreate") &&
           resolve(library, destroy, "nvPTXCompilerDestroy") &&
           resolve(library, compile, "nvPTXCompilerCompile") &&
           resolve(library, programSize, "nvPTXCompilerGetCompiledProgramSize") &&
           resolve(library, program, "nvPTXCompilerGetCompiledProgram") &&
           resolve(library, errorLogSize, "nvPTXCompilerGetErrorLogSize") &&
           resolve(library, errorLog, "nvPTXCompilerGetErrorLog") &&
           resolve(library, infoLogSize, "nvPTXCompilerGetInfoLogSize") &&
           resolve(library, infoLog, "nvPTXCompilerGetInfoLog") && getVersion(&major, &minor) == 0;
  }

  std::string version() const override { return fmt::format("nvptxcompiler {}.{}", major, minor); }

  Expected<Output> assemble(const std::string &ptx, const std::string &entry,
                            const std::string &target) const override {
    Handle raw = nullptr;
    // The length counts the final NUL: without it the last line may be cut.
    if (int code = create(&raw, ptx.size() + 1, ptx.c_str()); code != 0)
      return Status::internal(fmt::format("{}: cannot create a module: error {}", version(), code));
    auto release = [this](Handle h) { (void)destroy(&h); };
    std::unique_ptr<OpaqueAssembly, decltype(release)> handle(raw, release);

    std::string arch = "--gpu-name=" + target;
    std::array<const char *, 2> options = {arch.c_str(), "--verbose"};
    int code = compile(raw, int(options.size()), options.data());
    if (code == internalError || code == outOfMemory)
      return Status::internal(fmt::format("{}: {} for {}: error {}\n{}", version(), entry, target,
                                          code, fetchLog(raw, errorLogSize, errorLog)));
    if (code != 0)
      return refused(version(), entry, target, fetchLog(raw, errorLogSize, errorLog));
    size_t bytes = 0;
    std::vector<uint8_t> cubin;
    if (programSize(raw, &bytes) == 0)
      cubin.resize(bytes);
    if (cubin.empty() || program(raw, cubin.data()) != 0)
      return Status::internal(fmt::format("{}: {} for {}: no image", version(), entry, target));
    return finish(std::move(cubin), fetchLog(raw, infoLogSize, infoLog), ptx, entry, version());
  }

private:
  enum Result : int { internalError = 4, outOfMemory = 5 };

  SharedLibrary library;
  unsigned major = 0, minor = 0;
  int (*getVersion)(unsigned *, unsigned *) = nullptr;
  int (*create)(Handle *, size_t, const char *) = nullptr;
  int (*destroy)(Handle *) = nullptr;
  int (*compile)(Handle, int, const char *const *) = nullptr;
  int (*programSize)(Handle, size_t *) = nullptr;
  int (*program)(Handle, void *) = nullptr;
  int (*errorLogSize)(Handle, size_t *) = nullptr;
  int (*errorLog)(Handle, char *) = nullptr;
  int (*infoLogSize)(Handle, size_t *) = nullptr;
  int (*infoLog)(Handle, char *) = nullptr;
};

class NvJitLink final : public Assembler {
public:
  explicit NvJitLink(SharedLibrary l) : library(std::move(l)) {}

  bool resolveAll() {
    return resolve(library, getVersion, "nvJitLinkVersion") &&
           resolve(library, create, "nvJitLinkCreate") &&
           resolve(library, destroy, "nvJitLinkDestroy") &&
           resolve(library, addData, "nvJitLinkAddData") &&
           resolve(library, complete, "nvJitLinkComplete") &&
           resolve(library, cubinSize, "nvJitLinkGetLinkedCubinSize") &&
           resolve(library, linkedCubin, "nvJitLinkGetLinkedCubin") &&
           resolve(library, errorLogSize, "nvJitLinkGetErrorLogSize") &&
           resolve(library, errorLog, "nvJitLinkGetErrorLog") &&
           resolve(library, infoLogSize, "nvJitLinkGetInfoLogSize") &&
           resolve(library, infoLog, "nvJitLinkGetInfoLog") && getVersion(&major, &minor) == 0;
  }

  std::string version() const override { return fmt::format("nvjitlink {}.{}", major, minor); }

  Expected<Output> assemble(const std::string &ptx, const std::string &entry,
                            const std::string &target) const override {
    Handle raw = nullptr;
    std::string arch = "-arch=" + target;
    std::array<const char *, 3> options = {arch.c_str(), "-verbose", "-Xptxas=-v"};
    int created = create(&raw, uint32_t(options.size()), options.data());
    // A refused option leaves a handle behind, which holds the log.
    auto release = [this](Handle h) { (void)destroy(&h); };
    std::unique_ptr<OpaqueAssembly, decltype(release)> handle(raw, release);
    if (created != 0)
      return refused(version(), entry, target,
                     raw ? fetchLog(raw, errorLogSize, errorLog) : std::string());

    if (addData(raw, inputPtx, ptx.c_str(), ptx.size() + 1, entry.c_str()) != 0 ||
        complete(raw) != 0)
      return refused(version(), entry, target, fetchLog(raw, errorLogSize, errorLog));
    size_t bytes = 0;
    std::vector<uint8_t> cubin;
    if (cubinSize(raw, &bytes) == 0)
      cubin.resize(bytes);
    if (cubin.empty() || linkedCubin(raw, cubin.data()) != 0)
      return Status::internal(fmt::format("{}: {} for {}: no image", version(), entry, target));
    return finish(std::move(cubin), fetchLog(raw, infoLogSize, infoLog), ptx, entry, version());
  }

private:
  static constexpr int inputPtx = 2; ///< NVJITLINK_INPUT_PTX

  SharedLibrary library;
  unsigned major = 0, minor = 0;
  int (*getVersion)(unsigned *, unsigned *) = nullptr;
  int (*create)(Handle *, uint32_t, const char *const *) = nullptr;
  int (*destroy)(Handle *) = nullptr;
  int (*addData)(Handle, int, const void *, size_t, const char *) = nullptr;
  int (*complete)(Handle) = nullptr;
  int (*cubinSize)(Handle, size_t *) = nullptr;
  int (*linkedCubin)(Handle, void *) = nullptr;
  int (*errorLogSize)(Handle, size_t *) = nullptr;
  int (*errorLog)(Handle, char *) = nullptr;
  int (*infoLogSize)(Handle, size_t *) = nullptr;
  int (*infoLog)(Handle, char *) = nullptr;
};

template <typename Kind>
Expected<std::shared_ptr<Assembler>> openLibrary(const std::filesystem::path &file,
                                                 std::string_view what) {
  MSA_ASSIGN_OR_RETURN(auto library, SharedLibrary::open(file));
  auto assembler = std::make_shared<Kind>(library);
  if (!assembler->resolveAll())
    return unusable(library, what);
  return std::shared_ptr<Assembler>(std::move(assembler));
}

} // namespace

Expected<std::shared_ptr<Assembler>> openNvPtxCompiler(const ToolchainPaths &paths) {
  auto file = findLibrary(paths, "libmsa-nvptxcompiler.so");
  if (!file)
    return missingTool("libmsa-nvptxcompiler.so (built when CMake finds nvPTXCompiler's archive)",
                       paths, "libnvptxcompiler-13-0", "nvidia-nvptxcompiler");
  return openLibrary<NvPtxCompiler>(*file, "nvPTXCompiler");
}

Expected<std::shared_ptr<Assembler>> openNvJitLink(const ToolchainPaths &paths) {
  auto file = findLibrary(paths, "libnvJitLink.so");
  if (!file)
    return missingTool("libnvJitLink.so", paths, "libnvjitlink-13-0", "nvidia-nvjitlink");
  return openLibrary<NvJitLink>(*file, "nvJitLink");
}

} // namespace msa::assemblers
