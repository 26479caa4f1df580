// The assemblers behind compiler/Assembler.h. What needs one skips loudly without.
#include "Support.h"

#include "compiler/AssemblerKinds.h"
#include "tools/msa-compile/Environment.h"

#include <algorithm>
#include <cstring>
#include <thread>

using namespace msa;
using namespace msa::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

/// Static shared memory of 512 bytes, a barrier, one loop; `version` is the PTX ISA.
std::string reversePtx(const std::string &version = "8.0", const std::string &target = "sm_80") {
  return ".version " + version + "\n.target " + target + R"(
.address_size 64
.visible .entry reverse(.param .u64 reverse_p) {
  .reg .b32 %r<8>;
  .reg .b64 %rd<4>;
  .shared .align 4 .b8 tile[512];
  ld.param.u64 %rd0, [reverse_p];
  mov.u32 %r0, %tid.x;
  mul.wide.u32 %rd1, %r0, 4;
  add.s64 %rd2, %rd0, %rd1;
  ld.global.u32 %r1, [%rd2];
  shl.b32 %r2, %r0, 2;
  mov.u32 %r3, tile;
  add.s32 %r4, %r3, %r2;
  st.shared.u32 [%r4], %r1;
  bar.sync 0;
  ld.shared.u32 %r5, [%r4];
  st.global.u32 [%rd2], %r5;
  ret;
}
)";
}

/// The bytes of a section of a 64-bit ELF image; empty when it is not there.
std::vector<uint8_t> section(const std::vector<uint8_t> &image, const std::string &name) {
  auto read = [&](size_t at, size_t bytes) {
    uint64_t value = 0;
    REQUIRE(at + bytes <= image.size());
    std::memcpy(&value, image.data() + at, bytes);
    return size_t(value);
  };
  size_t table = read(40, 8), size = read(58, 2), count = read(60, 2), names = read(62, 2);
  size_t nameBytes = read(table + names * size + 24, 8);
  for (size_t i = 0; i < count; ++i) {
    size_t header = table + i * size, begin = read(header + 24, 8);
    const char *text = reinterpret_cast<const char *>(image.data() + nameBytes + read(header, 4));
    if (name == text)
      return {image.begin() + begin, image.begin() + begin + read(header + 32, 8)};
  }
  return {};
}

} // namespace

TEST_CASE("the preferred assembler makes an ELF image and fills the resources", "[assembler]") {
  auto assembler = Assembler::open(tools::toolchainRoots());
  MSA_SKIP_WITHOUT(assembler);
  auto output = (*assembler)->assemble(reversePtx(), "reverse", "sm_80");
  INFO(output.status().message());
  REQUIRE(output.ok());
  REQUIRE(output->cubin.size() > 64);
  CHECK(std::string(output->cubin.begin(), output->cubin.begin() + 4) == "\x7f"
                                                                         "ELF");
  CHECK(output->assembler == (*assembler)->version());
  CHECK(output->resources.registers > 0);
  CHECK(output->resources.registers < 64);
  CHECK(output->resources.sharedBytes == 512);
  CHECK(output->resources.spillBytes == 0);
  CHECK(output->resources.ptxInstructions == 13);
  CHECK(output->resources.sassInstructions == -1);
}

TEST_CASE("every assembler: accepts, reports, and says who it is", "[assembler]") {
  auto all = Assembler::openEach(tools::toolchainRoots());
  if (all.empty())
    WARN("SKIPPED: no assembler");
  for (const auto &assembler : all) {
    INFO(assembler->version());
    auto output = assembler->assemble(reversePtx(), "reverse", "sm_80");
    INFO(output.status().message());
    REQUIRE(output.ok());
    CHECK(output->resources.registers > 0);
    CHECK(output->resources.sharedBytes == 512);
    CHECK(output->assembler == assembler->version());
    auto again = assembler->assemble(reversePtx(), "reverse", "sm_80");
    REQUIRE(again.ok());
    bool same = again->cubin == output->cubin;
    CHECK(same);
  }
}

TEST_CASE("nvPTXCompiler and ptxas of one release give the same code", "[assembler]") {
  auto library = assemblers::openNvPtxCompiler(tools::toolchainRoots());
  auto program = assemblers::openPtxas(tools::toolchainRoots());
  MSA_SKIP_WITHOUT(library);
  MSA_SKIP_WITHOUT(program);
  if ((*program)->version().find((*library)->version().substr(14)) == std::string::npos) {
    WARN("SKIPPED: " << (*library)->version() << " and " << (*program)->version());
    return;
  }
  auto a = (*library)->assemble(reversePtx(), "reverse", "sm_80");
  auto b = (*program)->assemble(reversePtx(), "reverse", "sm_80");
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  // Only a note with the name of the build differs.
  std::vector<uint8_t> code = section(a->cubin, ".text.reverse");
  bool same = code == section(b->cubin, ".text.reverse");
  CHECK(code.size() >= 128);
  CHECK(same);
  CHECK(a->resources.registers == b->resources.registers);
}

TEST_CASE("every assembler refuses bad PTX and names the line", "[assembler][negative]") {
  for (const auto &assembler : Assembler::openEach(tools::toolchainRoots())) {
    INFO(assembler->version());
    std::string bad = reversePtx();
    bad.replace(bad.find("bar.sync 0"), 10, "bar.sink 0");
    auto output = assembler->assemble(bad, "reverse", "sm_80");
    REQUIRE_FALSE(output.ok());
    CHECK(output.status().code() == StatusCode::InvalidInput);
    CHECK_THAT(output.status().message(), StartsWith(assembler->version()));
    CHECK_THAT(output.status().message(), Contains("line 17"));

    output = assembler->assemble(reversePtx(), "reverse", "sm_13");
    REQUIRE_FALSE(output.ok());
    CHECK(output.status().code() == StatusCode::InvalidInput);

    output = assembler->assemble("", "reverse", "sm_80");
    REQUIRE_FALSE(output.ok());
    CHECK(output.status().code() == StatusCode::InvalidInput);
  }
}

TEST_CASE("PTX newer than every assembler is Missing", "[assembler][negative]") {
  auto assembler = Assembler::open(tools::toolchainRoots());
  MSA_SKIP_WITHOUT(assembler);
  auto output = (*assembler)->assemble(reversePtx("99.0"), "reverse", "sm_80");
  REQUIRE_FALSE(output.ok());
  CHECK(output.status().code() == StatusCode::Missing);
  CHECK_THAT(output.status().message(), Contains("99.0"));
}

namespace {

/// A root with a bin/ptxas that answers --version with `release` and else runs `script`, in which
/// "$5" is the output file.
void fakePtxas(const ScratchFolder &root, const std::string &release, const std::string &script) {
  spill(root / "bin/ptxas", "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'release, V" +
                                release + "'; exit 0; fi\n" + script + "\n");
  std::filesystem::permissions(root / "bin/ptxas", std::filesystem::perms::owner_all);
}

} // namespace

TEST_CASE("PTX newer than the best assembler goes to the next one", "[assembler]") {
  auto best = findLibrary(tools::toolchainRoots(), "libmsa-nvptxcompiler.so");
  if (!best) {
    WARN("SKIPPED: this build has no libmsa-nvptxcompiler.so");
    return;
  }
  ScratchFolder root;
  std::filesystem::create_directories(root / "lib");
  std::filesystem::create_symlink(*best, root / "lib/libmsa-nvptxcompiler.so");
  fakePtxas(root, "99.1.2", "printf image > \"$5\"");
  auto assembler = Assembler::open({{root.path()}});
  REQUIRE(assembler.ok());
  CHECK_THAT((*assembler)->version(), StartsWith("nvptxcompiler"));
  auto known = (*assembler)->assemble(reversePtx(), "reverse", "sm_80");
  REQUIRE(known.ok());
  CHECK(known->assembler == (*assembler)->version());
  auto newer = (*assembler)->assemble(reversePtx("99.0"), "reverse", "sm_80");
  INFO(newer.status().message());
  REQUIRE(newer.ok());
  CHECK(newer->assembler == "ptxas 99.1.2");
  CHECK(std::string(newer->cubin.begin(), newer->cubin.end()) == "image");
}

TEST_CASE("a ptxas that dies, writes nothing or has no version", "[assembler][negative]") {
  ScratchFolder root;
  for (const char *script : {"kill -SEGV $$", "exit 0"}) {
    fakePtxas(root, "13.0.1", script);
    auto assembler = assemblers::openPtxas({{root.path()}});
    REQUIRE(assembler.ok());
    auto output = (*assembler)->assemble(reversePtx(), "reverse", "sm_80");
    REQUIRE_FALSE(output.ok());
    CHECK(output.status().code() == StatusCode::Internal);
  }
  fakePtxas(root, "13.0.1", "echo 'ptxas fatal : bad' >&2; exit 255");
  auto refusing = assemblers::openPtxas({{root.path()}});
  REQUIRE(refusing.ok());
  auto output = (*refusing)->assemble(reversePtx(), "reverse", "sm_80");
  REQUIRE_FALSE(output.ok());
  CHECK(output.status().code() == StatusCode::InvalidInput);
  CHECK_THAT(output.status().message(), Contains("ptxas fatal : bad"));

  spill(root / "bin/ptxas", "#!/bin/sh\necho nothing\n");
  auto nameless = assemblers::openPtxas({{root.path()}});
  REQUIRE_FALSE(nameless.ok());
  CHECK(nameless.status().code() == StatusCode::Missing);
}

TEST_CASE("parallel assembly gives what serial assembly gives", "[assembler]") {
  auto all = Assembler::openEach(tools::toolchainRoots());
  for (const auto &assembler : all) {
    INFO(assembler->version());
    auto reference = assembler->assemble(reversePtx(), "reverse", "sm_80");
    REQUIRE(reference.ok());
    std::vector<std::vector<uint8_t>> cubins(8);
    std::vector<std::thread> threads;
    for (auto &cubin : cubins)
      threads.emplace_back([&] {
        if (auto output = assembler->assemble(reversePtx(), "reverse", "sm_80"))
          cubin = output->cubin;
      });
    for (std::thread &thread : threads)
      thread.join();
    auto differs = [&](const auto &cubin) { return cubin != reference->cubin; };
    CHECK(std::count_if(cubins.begin(), cubins.end(), differs) == 0);
  }
}

TEST_CASE("information logs: the entry's own numbers", "[assembler]") {
  const char *log = R"(ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'first' for 'sm_80'
ptxas info    : Function properties for first
    16 bytes stack frame, 12 bytes spill stores, 20 bytes spill loads
ptxas info    : Used 255 registers, used 1 barriers, 49152 bytes smem, 360 bytes cmem[0]
ptxas info    : Compiling entry function 'second' for 'sm_80'
ptxas info    : Function properties for second
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 8 registers, 360 bytes cmem[0]
)";
  Resources first = assemblers::parseInfoLog(log, "first");
  CHECK(first.registers == 255);
  CHECK(first.sharedBytes == 49152);
  CHECK(first.spillBytes == 32);
  Resources second = assemblers::parseInfoLog(log, "second");
  CHECK(second.registers == 8);
  CHECK(second.sharedBytes == 0);
  CHECK(second.spillBytes == 0);
  for (const char *text : {log, "", "Compiling entry function 'third'", "Used registers"})
    CHECK(assemblers::parseInfoLog(text, "third").registers == -1);
}

TEST_CASE("PTX instruction count: statements, not directives, labels or comments", "[assembler]") {
  CHECK(countPtxInstructions("") == 0);
  CHECK(countPtxInstructions("// add.s32 %r1, %r1, 1;\n.reg .b32 %r<2>;\n$L_1:\nloop:\n{\n}\n") ==
        0);
  CHECK(countPtxInstructions("  @%p1 bra $L_1;\n{ add.s32 %r1, %r1, 1; // c\n}\nret;") == 3);
  CHECK(countPtxInstructions("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32\n"
                             "  {%f1,%f2,%f3,%f4},\n  {%r1,%r2,%r3,%r4}, {%r5,%r6}, "
                             "{%f1,%f2,%f3,%f4};\n") == 1);
  CHECK(countPtxInstructions("cp.async.bulk.shared::cluster.global [%r1], [%r2];\n") == 1);
}
