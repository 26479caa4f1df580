// Search rules of compiler/Toolchain.h, and what is said when nothing is found.
#include "Support.h"

#include "compiler/Assembler.h"
#include "compiler/CudaFrontEnd.h"

#include <filesystem>

using namespace msa;
using namespace msa::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

TEST_CASE("findLibrary: plain name, SONAME only, newest SONAME", "[toolchain]") {
  ScratchFolder root;
  CHECK_FALSE(findLibrary({{root.path()}}, "libnvrtc.so"));

  spill(root / "nvidia/cu13/lib/libnvrtc.so.9", "");
  spill(root / "nvidia/cu13/lib/libnvrtc.so.13", "");
  spill(root / "nvidia/cu13/lib/libnvrtc.so.13.0.88", "");
  spill(root / "nvidia/cu13/lib/libnvrtc.sober", "");
  spill(root / "nvidia/cu13/lib/libnvrtc.so.txt", "");
  spill(root / "nvidia/cu13/lib/libnvrtc-builtins.so.14", "");
  CHECK(findLibrary({{root.path()}}, "libnvrtc.so") == root / "nvidia/cu13/lib/libnvrtc.so.13");

  spill(root / "lib64/libnvrtc.so", "");
  spill(root / "lib64/libnvrtc.so.12", "");
  CHECK(findLibrary({{root.path()}}, "libnvrtc.so") == root / "lib64/libnvrtc.so");
}

TEST_CASE("findLibrary: roots are searched in order, empty and missing ones skipped",
          "[toolchain]") {
  ScratchFolder first, second;
  spill(second / "lib/libx.so.1", "");
  ToolchainPaths paths{{"", first / "not-there", first.path(), second.path()}};
  CHECK(findLibrary(paths, "libx.so") == second / "lib/libx.so.1");
  spill(first / "targets/x86_64-linux/lib/libx.so.1", "");
  CHECK(findLibrary(paths, "libx.so") == first / "targets/x86_64-linux/lib/libx.so.1");
}

TEST_CASE("findLibrary: a file without a version is no library", "[toolchain]") {
  ScratchFolder root;
  spill(root / "lib/libx.sobriquet", "");
  spill(root / "lib/libx.so.backup", "");
  CHECK_FALSE(findLibrary({{root.path()}}, "libx.so"));
}

TEST_CASE("findProgram: only executables", "[toolchain]") {
  ScratchFolder root;
  spill(root / "nvidia/cu13/bin/ptxas", "#!/bin/sh\n");
  CHECK_FALSE(findProgram({{root.path()}}, "ptxas"));
  fs::permissions(root / "nvidia/cu13/bin/ptxas", fs::perms::owner_all);
  CHECK(findProgram({{root.path()}}, "ptxas") == root / "nvidia/cu13/bin/ptxas");
  fs::create_directories(root / "bin/ptxas");
  CHECK(findProgram({{root.path()}}, "ptxas") == root / "nvidia/cu13/bin/ptxas");
}

TEST_CASE("missing toolchain: the message says what was searched and what to install",
          "[toolchain][negative]") {
  ScratchFolder empty;
  for (bool withRoot : {false, true}) {
    ToolchainPaths paths;
    if (withRoot)
      paths.roots.push_back(empty.path());
    std::string searched = withRoot ? empty.path().string() : "no folders were given";

    auto frontEnd = CudaFrontEnd::open(paths);
    REQUIRE_FALSE(frontEnd.ok());
    CHECK(frontEnd.status().code() == StatusCode::Missing);
    for (const char *word : {"libnvrtc.so", "apt-get install cuda-nvrtc-13-0", "CUDA_HOME",
                             "tools/fetch-cuda-wheels", "nvidia-cuda-nvrtc==13.0.88"})
      CHECK_THAT(frontEnd.status().message(), Contains(word));
    CHECK_THAT(frontEnd.status().message(), Contains(searched));

    auto assembler = Assembler::open(paths);
    REQUIRE_FALSE(assembler.ok());
    CHECK(assembler.status().code() == StatusCode::Missing);
    for (const char *word :
         {"nvPTXCompiler", "ptxas", "nvJitLink", "cuda-nvcc-13-0", "nvidia-cuda-nvcc==13.0.88"})
      CHECK_THAT(assembler.status().message(), Contains(word));
    CHECK_THAT(assembler.status().message(), Contains(searched));
    CHECK(Assembler::openEach(paths).empty());
  }
}

TEST_CASE("a library that is none, or lacks functions, is Missing and named",
          "[toolchain][negative]") {
  ScratchFolder root;
  spill(root / "lib/libnvrtc.so", "not a library");
  auto garbage = CudaFrontEnd::open({{root.path()}});
  REQUIRE_FALSE(garbage.ok());
  CHECK(garbage.status().code() == StatusCode::Missing);
  CHECK_THAT(garbage.status().message(), Contains((root / "lib/libnvrtc.so").string()));

  // Any real library will do as an NVRTC without nvrtcVersion.
  fs::remove(root / "lib/libnvrtc.so");
  fs::create_symlink("/proc/self/exe", root / "lib/libnvJitLink.so");
  CHECK_FALSE(Assembler::open({{root.path()}}).ok());
}
