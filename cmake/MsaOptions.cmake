# Language, warnings, linker, ccache and sanitizers: the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Programs compile with -fPIC too, so that one precompiled header serves libraries and programs.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE -fPIC)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wno-c2y-extensions)
  # Reproducible precompiled headers, so that ccache can serve what uses them.
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
endif()

find_program(MSA_LLD NAMES ld.lld-22)
if(MSA_LLD)
  add_link_options(--ld-path=${MSA_LLD})
endif()

find_program(MSA_CCACHE ccache)
if(MSA_CCACHE)
  set(msaCcache ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${MSA_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${msaCcache})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${msaCcache})
endif()

if(MSA_SANITIZE)
  add_compile_options(-fsanitize=${MSA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
                      -Wno-pass-failed) # loops that are vectorised elsewhere
  add_link_options(-fsanitize=${MSA_SANITIZE})
endif()
