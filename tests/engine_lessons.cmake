# The lessons of examples/engines, those whose engine is there: what they make of a picture with a
# model that limpid wrote as ONNX is what the lesson in C makes of it with limpid.
if(NOT engine_lessons OR NOT Python3_FOUND OR NOT LIMPID_HAS_PROTOZERO)
  return()
endif()
set(onnx_model "${PROJECT_BINARY_DIR}/everyday.onnx")
add_test(NAME everyday_as_onnx
  COMMAND limpid-convert "${model_in_the_box}" "${onnx_model}")
set_tests_properties(everyday_as_onnx PROPERTIES FIXTURES_SETUP everyday_as_onnx LABELS programs)
foreach(lesson IN LISTS engine_lessons)
  add_test(NAME lesson_${lesson}
    COMMAND "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_SOURCE_DIR}/onnx/compare_lesson.py"
      $<TARGET_FILE:${lesson}> "${onnx_model}" $<TARGET_FILE:c_restore> "${model_in_the_box}")
  set_tests_properties(lesson_${lesson} PROPERTIES FIXTURES_REQUIRED everyday_as_onnx
    LABELS programs TIMEOUT 120)
endforeach()
