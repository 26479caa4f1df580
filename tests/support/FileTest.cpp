//===- FileTest.cpp - whole files in, whole files out ---------------------===//
#include "support/File.h"

#include "TemporaryFolder.h"

#include <catch2/catch.hpp>

#include <sys/stat.h>

using namespace msa;
using namespace msa::test;
namespace fs = std::filesystem;

TEST_CASE("a file is read as it is") {
  TemporaryFolder folder;
  std::string content("a\0b\r\n\xff", 6);
  spill(folder.file("x"), content);
  CHECK(*readTextFile(folder.file("x")) == content);
  Expected<std::vector<uint8_t>> bytes = readFile(folder.file("x"));
  REQUIRE(bytes.ok());
  CHECK(std::string(bytes->begin(), bytes->end()) == content);
  spill(folder.file("empty"), "");
  CHECK(*readTextFile(folder.file("empty")) == "");
}

TEST_CASE("what cannot be read names the path and the reason") {
  TemporaryFolder folder;
  Status status = readFile(folder.file("nothing")).status();
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK(status.message().find("nothing: No such file") != std::string::npos);
  CHECK(readFile(folder.path).status().message().find("it is a folder") != std::string::npos);
  spill(folder.file("long"), std::string(1001, 'x'));
  CHECK(readFile(folder.file("long"), 1001).ok());
  CHECK(readFile(folder.file("long"), 1000).status().message().find("longer than 1000") !=
        std::string::npos);
  // A device has no size to see beforehand.
  CHECK_FALSE(readFile("/dev/zero", 100000).ok());
  CHECK(readFile("/dev/null")->empty());
}

TEST_CASE("a file is replaced as a whole and nothing stays beside it") {
  TemporaryFolder folder;
  spill(folder.file("x"), "old");
  REQUIRE(writeFileAtomic(folder.file("x"), "new").ok());
  CHECK(slurp(folder.file("x")) == "new");
  std::vector<uint8_t> bytes(3 << 20, 7);
  REQUIRE(writeFileAtomic(folder.file("y"), bytes).ok());
  CHECK(fs::file_size(folder.file("y")) == bytes.size());
  CHECK(folder.entries() == 2);
}

TEST_CASE("an abandoned writer leaves the old file and nothing else") {
  TemporaryFolder folder;
  spill(folder.file("x"), "old");
  {
    Expected<FileWriter> writer = FileWriter::create(folder.file("x"));
    REQUIRE(writer.ok());
    std::vector<uint8_t> bytes(100, 1);
    REQUIRE(writer->write(bytes).ok());
    CHECK(folder.entries() == 2);
    FileWriter moved = std::move(*writer);
    CHECK(folder.entries() == 2);
  }
  CHECK(slurp(folder.file("x")) == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a committed writer takes no more") {
  TemporaryFolder folder;
  Expected<FileWriter> writer = FileWriter::create(folder.file("x"));
  REQUIRE(writer.ok());
  REQUIRE(writer->commit().ok());
  CHECK(writer->commit().code() == StatusCode::Internal);
  CHECK(writer->write(std::vector<uint8_t>(1)).code() == StatusCode::Internal);
}

TEST_CASE("what cannot be written is an error that leaves nothing") {
  TemporaryFolder folder;
  CHECK(writeFileAtomic(folder.file("no/x"), "a").message().find("No such file") !=
        std::string::npos);
  CHECK(writeFileAtomic(folder.path, "a").message().find("it is a folder") != std::string::npos);
  CHECK_FALSE(writeFileAtomic("", "a").ok());
  CHECK(folder.entries() == 0);
  // A full disk is seen at the write.
  CHECK(writeFileAtomic("/dev/full", "a").message().find("No space left") != std::string::npos);
}

TEST_CASE("devices are written directly and links stay links") {
  CHECK(writeFileAtomic("/dev/null", "a").ok());
  CHECK_FALSE(fs::is_regular_file("/dev/null"));
  TemporaryFolder folder;
  spill(folder.file("target"), "old");
  fs::create_symlink("target", folder.file("link"));
  REQUIRE(writeFileAtomic(folder.file("link"), "new").ok());
  CHECK(fs::is_symlink(folder.file("link")));
  CHECK(slurp(folder.file("target")) == "new");
}

TEST_CASE("the mode is what the umask says") {
  TemporaryFolder folder;
  mode_t mask = ::umask(022);
  REQUIRE(writeFileAtomic(folder.file("x"), "a").ok());
  ::umask(mask);
  struct stat info = {};
  REQUIRE(::stat(folder.file("x").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0644);
}
