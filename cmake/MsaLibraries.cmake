# zstd and xxHash have no CMake packages in Debian 12: imported here, static so that the programs
# start fast and run where the libraries are not installed.
foreach(lib zstd xxhash)
  find_path(MSA_${lib}_INCLUDE ${lib}.h REQUIRED)
  find_library(MSA_${lib}_LIBRARY NAMES lib${lib}.a REQUIRED)
  add_library(msa_${lib} STATIC IMPORTED)
  set_target_properties(msa_${lib} PROPERTIES IMPORTED_LOCATION ${MSA_${lib}_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${MSA_${lib}_INCLUDE})
endforeach()
