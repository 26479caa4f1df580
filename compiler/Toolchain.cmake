# What of the compiler needs no MLIR: toolchain search, NVRTC, assemblers, the fingerprint. Included by
# compiler/ and, in builds without the compiler, by tools/msa-compile.
include_guard(GLOBAL)

add_library(msa_toolchain STATIC
  ${CMAKE_CURRENT_LIST_DIR}/Toolchain.cpp
  ${CMAKE_CURRENT_LIST_DIR}/CudaFrontEnd.cpp
  ${CMAKE_CURRENT_LIST_DIR}/Assembler.cpp
  ${CMAKE_CURRENT_LIST_DIR}/AssemblerInProcess.cpp
  ${CMAKE_CURRENT_LIST_DIR}/AssemblerPtxas.cpp)
target_include_directories(msa_toolchain PUBLIC ${PROJECT_SOURCE_DIR})
target_link_libraries(msa_toolchain PUBLIC msa_headers PRIVATE msa_support fmt::fmt-header-only ${CMAKE_DL_LIBS})

# libmsa-nvptxcompiler.so: nvPTXCompiler's static archive as a library of its own, opened at run time,
# because the archive crashes when lld links it and because nothing may link CUDA. Only its ten functions
# are exported. Without the archive or GNU ld the build goes on; ptxas or nvJitLink assemble then.
find_program(MSA_NVCC nvcc)
set(msaCudaRoots $ENV{CUDA_HOME} ${CMAKE_BINARY_DIR}/cuda-wheels/nvidia/cu13)
if(MSA_NVCC)
  get_filename_component(msaNvccReal ${MSA_NVCC} REALPATH)
  get_filename_component(msaNvccRoot ${msaNvccReal}/../.. ABSOLUTE)
  list(APPEND msaCudaRoots ${msaNvccRoot})
endif()
find_library(MSA_NVPTXCOMPILER_ARCHIVE NAMES libnvptxcompiler_static.a NO_DEFAULT_PATH
             PATHS ${msaCudaRoots} PATH_SUFFIXES lib64 lib targets/x86_64-linux/lib)
find_program(MSA_GNU_LD NAMES ld.bfd)
if(MSA_NVPTXCOMPILER_ARCHIVE AND MSA_GNU_LD)
  set(msaNvptxLibrary ${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/libmsa-nvptxcompiler.so)
  set(msaNvptxExports ${CMAKE_CURRENT_LIST_DIR}/nvptxcompiler.exports)
  set(msaNvptxKeep)
  foreach(function GetVersion Create Destroy Compile GetCompiledProgramSize GetCompiledProgram
                   GetErrorLogSize GetErrorLog GetInfoLogSize GetInfoLog)
    list(APPEND msaNvptxKeep -Wl,-u,nvPTXCompiler${function})
  endforeach()
  add_custom_command(
    OUTPUT ${msaNvptxLibrary}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_LIBRARY_OUTPUT_DIRECTORY}
    COMMAND ${CMAKE_C_COMPILER} -shared --ld-path=${MSA_GNU_LD} -o ${msaNvptxLibrary} ${msaNvptxKeep}
            -Wl,--version-script=${msaNvptxExports} -Wl,--gc-sections -Wl,-s -Wl,--no-undefined
            ${MSA_NVPTXCOMPILER_ARCHIVE} -lpthread -lm -ldl
    DEPENDS ${MSA_NVPTXCOMPILER_ARCHIVE} ${msaNvptxExports}
    COMMENT "Linking libmsa-nvptxcompiler.so by GNU ld" VERBATIM)
  add_custom_target(msa-nvptxcompiler ALL DEPENDS ${msaNvptxLibrary})
  add_dependencies(msa_toolchain msa-nvptxcompiler)
  message(STATUS "nvPTXCompiler: ${MSA_NVPTXCOMPILER_ARCHIVE}")
else()
  message(STATUS "nvPTXCompiler: none (ptxas or nvJitLink assemble at run time; tools/fetch-cuda-wheels has it)")
endif()

# compilerFingerprint() (runtime/program/Fingerprint.h): changes with every source that decides what is
# generated, so that a cache entry of an older compiler is a miss.
set(msaFingerprintFile ${CMAKE_BINARY_DIR}/generated/CompilerFingerprint.cpp)
file(GLOB_RECURSE msaFingerprintSources CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/compiler/* ${PROJECT_SOURCE_DIR}/dialects/* ${PROJECT_SOURCE_DIR}/templates/*
  ${PROJECT_SOURCE_DIR}/runtime/plan/* ${PROJECT_SOURCE_DIR}/runtime/program/* ${PROJECT_SOURCE_DIR}/runtime/include/*)
set(msaFingerprintLlvm none)
if(MSA_BUILD_COMPILER)
  set(msaFingerprintLlvm ${LLVM_PACKAGE_VERSION})
endif()
add_custom_command(
  OUTPUT ${msaFingerprintFile}
  COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} -DLLVM=${msaFingerprintLlvm} -DOUTPUT=${msaFingerprintFile}
          -P ${CMAKE_CURRENT_LIST_DIR}/Fingerprint.cmake
  DEPENDS ${msaFingerprintSources} ${CMAKE_CURRENT_LIST_DIR}/Fingerprint.cmake
  COMMENT "Hashing the compiler's sources" VERBATIM)
add_library(msa_fingerprint STATIC ${msaFingerprintFile})
target_link_libraries(msa_fingerprint PUBLIC msa_headers)
