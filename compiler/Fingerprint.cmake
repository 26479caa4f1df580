# Run by `cmake -P` at build time: hashes the names and contents of everything that decides what the
# compiler generates, and the LLVM version, and writes the C++ file that states the hash. The file keeps
# its time when nothing changed, so that nothing is rebuilt.
#
#   cmake -DROOT=<checkout> -DLLVM=<version> -DOUTPUT=<file.cpp> -P Fingerprint.cmake
set(folders compiler dialects templates runtime/plan runtime/program runtime/include)
set(files)
foreach(folder ${folders})
  file(GLOB_RECURSE found RELATIVE ${ROOT} ${ROOT}/${folder}/*.h ${ROOT}/${folder}/*.cpp ${ROOT}/${folder}/*.td
       ${ROOT}/${folder}/*.cu ${ROOT}/${folder}/*.cuh ${ROOT}/${folder}/*.def ${ROOT}/${folder}/*.inc)
  list(APPEND files ${found})
endforeach()
list(SORT files)
set(lines "llvm ${LLVM}\n")
foreach(file ${files})
  file(SHA256 ${ROOT}/${file} hash)
  string(APPEND lines "${file} ${hash}\n")
endforeach()
string(SHA256 fingerprint "${lines}")
string(SUBSTRING ${fingerprint} 0 32 fingerprint)
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [=[
// Written by compiler/Fingerprint.cmake.
#include "program/Fingerprint.h"

namespace msa {
std::string_view compilerFingerprint() { return "@fingerprint@"; }
} // namespace msa
]=])
