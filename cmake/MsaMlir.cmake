# MLIR and LLVM 22. Everything that uses them links raw static archives into one image (imported MLIR
# targets would drag in libLLVM.so beside the static one, which aborts at start).
find_program(MSA_LLVM_CONFIG llvm-config-22 REQUIRED)
execute_process(COMMAND ${MSA_LLVM_CONFIG} --prefix OUTPUT_VARIABLE MSA_LLVM_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE)
find_package(MLIR 22.1 REQUIRED CONFIG HINTS ${MSA_LLVM_PREFIX}/lib/cmake/mlir)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
