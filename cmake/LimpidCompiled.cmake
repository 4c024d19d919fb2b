# limpid::compiled: the same headers, and what they keep behind LIMPID_BODIES or list as LIMPID_ONCE
# (core/compiled.hpp) compiled once, in a static library. Who links it in place of limpid::limpid
# compiles less.
add_library(limpid_compiled STATIC
  "${CMAKE_CURRENT_LIST_DIR}/compiled_functions.cpp"
  "${CMAKE_CURRENT_LIST_DIR}/compiled_templates.cpp")
add_library(limpid::compiled ALIAS limpid_compiled)
set_target_properties(limpid_compiled PROPERTIES
  EXPORT_NAME compiled
  POSITION_INDEPENDENT_CODE ON)
if(NOT LIMPID_COMPILED)
  set_target_properties(limpid_compiled PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
target_link_libraries(limpid_compiled PUBLIC limpid)
target_compile_definitions(limpid_compiled INTERFACE LIMPID_COMPILED)
if(TARGET limpid_build_flags)
  target_compile_options(limpid_compiled PRIVATE
    $<TARGET_PROPERTY:limpid_build_flags,INTERFACE_COMPILE_OPTIONS>)
endif()

# Apart from the headers, which can be installed where nothing was built.
if(LIMPID_COMPILED)
  install(TARGETS limpid_compiled EXPORT limpidCompiledTargets COMPONENT compiled)
  install(EXPORT limpidCompiledTargets NAMESPACE limpid:: DESTINATION "${limpid_package_dir}"
    COMPONENT compiled)
endif()
