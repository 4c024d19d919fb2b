# The lessons run in this order in a folder of their own: they read what earlier ones wrote.
set(folder "${PROJECT_BINARY_DIR}/lessons")
file(MAKE_DIRECTORY "${folder}")
set(first_training_arguments 0.1)
set(deploy_arguments "${PROJECT_SOURCE_DIR}/examples/models/everyday.limpid" auto photos/photo0.png
  deployed.png)
foreach(lesson make_photos first_training restore_a_photo deploy measure add_a_task add_a_network
        add_a_loss own_loop balance_tasks resume_a_run train_on_two_processes add_a_task_to_a_model)
  add_test(NAME lesson_${lesson} COMMAND ${lesson} ${${lesson}_arguments}
    WORKING_DIRECTORY "${folder}")
  limpid_test_threads(lesson_${lesson})
  set_tests_properties(lesson_${lesson} PROPERTIES TIMEOUT 120 LABELS programs)
endforeach()
set_tests_properties(lesson_make_photos PROPERTIES FIXTURES_SETUP lesson_photos)
set_tests_properties(lesson_first_training PROPERTIES FIXTURES_SETUP lesson_run
  FIXTURES_REQUIRED lesson_photos)
set_tests_properties(lesson_restore_a_photo lesson_measure lesson_add_a_task_to_a_model PROPERTIES
  FIXTURES_REQUIRED "lesson_photos;lesson_run")
set_tests_properties(lesson_deploy lesson_add_a_task lesson_add_a_network lesson_add_a_loss lesson_own_loop
  lesson_balance_tasks lesson_resume_a_run lesson_train_on_two_processes PROPERTIES FIXTURES_REQUIRED lesson_photos)
