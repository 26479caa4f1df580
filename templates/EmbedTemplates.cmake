# Writes OUTPUT: two C++ arrays of {name, text}, from the lists of files TEMPLATES and HEADERS.
# Run as a script (cmake -P) in the folder that the file names start from.
function(append_array variable name files)
  set(text "static constexpr EmbeddedText ${name}[] = {\n")
  foreach(file ${files})
    get_filename_component(stem ${file} NAME)
    string(REGEX REPLACE "\\.cu$" "" stem ${stem})
    # A literal as long as a template is beyond what C++ compilers must accept, not beyond ours.
    file(READ ${file} content)
    string(APPEND text "    {\"${stem}\", R\"msa_text(${content})msa_text\"},\n")
  endforeach()
  set(${variable} "${${variable}}${text}};\n" PARENT_SCOPE)
endfunction()

set(output "// Made by EmbedTemplates.cmake.\n")
append_array(output embeddedTemplates "${TEMPLATES}")
append_array(output embeddedHeaders "${HEADERS}")
file(WRITE ${OUTPUT} "${output}")
