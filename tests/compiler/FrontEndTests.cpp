// NVRTC behind compiler/CudaFrontEnd.h. Needs an NVRTC; skips loudly without.
#include "Support.h"

#include "compiler/CudaFrontEnd.h"
#include "tools/msa-compile/Environment.h"

#include <thread>

using namespace msa;
using namespace msa::test;
using Catch::Matchers::Contains;

namespace {

CudaFrontEnd::Source scaleSource(std::string target = "sm_80") {
  return {.name = "scale.cu",
          .text = "#include \"factor.h\"\n"
                  "extern \"C\" __global__ void scale(float *x, float a) {\n"
                  "  x[threadIdx.x] = x[threadIdx.x] * a * FACTOR + OFFSET;\n"
                  "}\n",
          .headers = {{"factor.h", "#define FACTOR 3.0f\n"}},
          .defines = {{"OFFSET", "2.0f"}},
          .target = std::move(target)};
}

} // namespace

TEST_CASE("NVRTC: headers and defines reach the kernel; same input, same PTX", "[nvrtc]") {
  auto frontEnd = CudaFrontEnd::open(tools::toolchainRoots());
  MSA_SKIP_WITHOUT(frontEnd);
  CHECK_THAT((*frontEnd)->version(), Contains("nvrtc "));

  auto ptx = (*frontEnd)->compileToPtx(scaleSource());
  REQUIRE(ptx.ok());
  CHECK_THAT(*ptx, Contains(".visible .entry scale("));
  CHECK_THAT(*ptx, Contains(".target sm_80"));
  CHECK_THAT(*ptx, Contains("0f40400000")); // 3.0, from the header
  CHECK_THAT(*ptx, Contains("0f40000000")); // 2.0, from the define
  CHECK_THAT(*ptx, Contains("fma.rn.f32")); // contraction, but IEEE:
  CHECK_THAT(*ptx, !Contains(".ftz"));
  CHECK_THAT(*ptx, !Contains(".loc"));
  CHECK(ptx->back() != '\0');
  auto again = (*frontEnd)->compileToPtx(scaleSource());
  REQUIRE(again.ok());
  CHECK(*again == *ptx);
}

TEST_CASE("NVRTC: IEEE division and square root, denormals kept", "[nvrtc]") {
  auto frontEnd = CudaFrontEnd::open(tools::toolchainRoots());
  MSA_SKIP_WITHOUT(frontEnd);
  CudaFrontEnd::Source source = scaleSource();
  source.text = "extern \"C\" __global__ void k(float *x) { x[0] = sqrtf(x[1]) / x[2]; }";
  auto ptx = (*frontEnd)->compileToPtx(source);
  REQUIRE(ptx.ok());
  CHECK_THAT(*ptx, Contains("sqrt.rn.f32"));
  CHECK_THAT(*ptx, Contains("div.rn.f32"));
}

TEST_CASE("NVRTC: line information on request", "[nvrtc]") {
  auto frontEnd = CudaFrontEnd::open(tools::toolchainRoots());
  MSA_SKIP_WITHOUT(frontEnd);
  CudaFrontEnd::Source source = scaleSource();
  source.lineInfo = true;
  auto ptx = (*frontEnd)->compileToPtx(source);
  REQUIRE(ptx.ok());
  CHECK_THAT(*ptx, Contains(".loc"));
}

TEST_CASE("NVRTC: every target family that the interface names", "[nvrtc]") {
  auto frontEnd = CudaFrontEnd::open(tools::toolchainRoots());
  MSA_SKIP_WITHOUT(frontEnd);
  for (const char *target : {"sm_75", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120a"}) {
    auto ptx = (*frontEnd)->compileToPtx(scaleSource(target));
    INFO(target << ": " << ptx.status().message());
    REQUIRE(ptx.ok());
    CHECK_THAT(*ptx, Contains(std::string(".target ") + target));
  }
}

TEST_CASE("NVRTC: a bad source is a located message", "[nvrtc][negative]") {
  auto frontEnd = CudaFrontEnd::open(tools::toolchainRoots());
  MSA_SKIP_WITHOUT(frontEnd);
  CudaFrontEnd::Source source = scaleSource();
  source.text += "int broken = ;\n";
  auto ptx = (*frontEnd)->compileToPtx(source);
  REQUIRE_FALSE(ptx.ok());
  CHECK(ptx.status().code() == StatusCode::InvalidInput);
  CHECK_THAT(ptx.status().message(), Contains("scale.cu(5)"));

  source = scaleSource();
  source.headers.clear();
  ptx = (*frontEnd)->compileToPtx(source);
  REQUIRE_FALSE(ptx.ok());
  CHECK_THAT(ptx.status().message(), Contains("factor.h"));
}

TEST_CASE("NVRTC: an unknown target is refused", "[nvrtc][negative]") {
  auto frontEnd = CudaFrontEnd::open(tools::toolchainRoots());
  MSA_SKIP_WITHOUT(frontEnd);
  for (const char *target : {"sm_13", "", "gfx942"}) {
    auto ptx = (*frontEnd)->compileToPtx(scaleSource(target));
    REQUIRE_FALSE(ptx.ok());
    CHECK(ptx.status().code() == StatusCode::InvalidInput);
    CHECK_THAT(ptx.status().message(), Contains("scale.cu"));
  }
}

TEST_CASE("NVRTC: parallel compiles give what serial ones give", "[nvrtc]") {
  auto frontEnd = CudaFrontEnd::open(tools::toolchainRoots());
  MSA_SKIP_WITHOUT(frontEnd);
  constexpr int count = 8;
  auto compileOne = [&](int i) {
    CudaFrontEnd::Source source = scaleSource();
    source.defines = {{"OFFSET", std::to_string(i) + ".5f"}};
    auto ptx = (*frontEnd)->compileToPtx(source);
    return ptx.ok() ? *ptx : ptx.status().message();
  };
  std::vector<std::string> results(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&, i] { results[i] = compileOne(i); });
  for (std::thread &thread : threads)
    thread.join();
  for (int i = 0; i < count; ++i)
    CHECK(results[i] == compileOne(i));
}
