# Rooms: one object library per folder of src/. Sources are found by name, so that adding a file
# needs no edit here; "USES" states which rooms a room may include (see docs/architecture.md).

set(LITERTLM_ROOMS "" CACHE INTERNAL "rooms, lowest first")

add_library(litertlm_flags INTERFACE)
target_compile_options(litertlm_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor $<$<BOOL:${LITERTLM_WERROR}>:-Werror>
  # Floating-point contraction would let one instruction set round differently from another.
  -ffp-contract=off)
target_include_directories(litertlm_flags INTERFACE
  ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)

# Instruction sets: a file whose name ends in _avx2.cc (…) is compiled for that set, and only such
# files are; everything else runs on any processor of the architecture.
function(set_instruction_set_flags)
  foreach(source IN LISTS ARGN)
    if(source MATCHES "_avx2\\.cc$")
      set(flags -mavx2 -mfma -mf16c -mbmi2)
    elseif(source MATCHES "_avxvnni\\.cc$")
      set(flags -mavx2 -mfma -mf16c -mbmi2 -mavxvnni)
    elseif(source MATCHES "_avx512vnni\\.cc$")
      set(flags -mavx2 -mfma -mf16c -mbmi2 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni
                -mprefer-vector-width=512)
    elseif(source MATCHES "_neondot\\.cc$")
      set(flags -march=armv8.2-a+dotprod+fp16)
    else()
      continue()
    endif()
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${flags}")
  endforeach()
endfunction()

function(add_room name)
  cmake_parse_arguments(room "" "" "USES;LIBS" ${ARGN})
  set(dir ${PROJECT_SOURCE_DIR}/src/${name})
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cc ${dir}/scalar/*.cc ${dir}/families/*.cc
       ${dir}/ops/*.cc ${dir}/passes/*.cc)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    file(GLOB isa_sources CONFIGURE_DEPENDS ${dir}/x86/*.cc)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    file(GLOB isa_sources CONFIGURE_DEPENDS ${dir}/arm/*.cc)
  endif()
  list(APPEND sources ${isa_sources})
  set_instruction_set_flags(${sources})
  if(NOT sources)
    return()
  endif()
  # A room sees what the rooms it uses need for their headers; the objects are gathered once, below.
  foreach(used IN LISTS room_USES)
    list(APPEND room_LIBS ${LITERTLM_${used}_LIBS})
  endforeach()
  list(REMOVE_DUPLICATES room_LIBS)
  set(LITERTLM_${name}_LIBS "${room_LIBS}" CACHE INTERNAL "")
  add_library(litertlm_${name} OBJECT ${sources})
  target_link_libraries(litertlm_${name} PUBLIC litertlm_flags ${room_LIBS})
  if("litertlm_schemas" IN_LIST room_LIBS)
    add_dependencies(litertlm_${name} litertlm_schema_objects)
  endif()
  set(LITERTLM_ROOMS "${LITERTLM_ROOMS};${name}" CACHE INTERNAL "")
endfunction()

# liblitertlm.a: all rooms.
function(add_library_from_rooms)
  add_library(litertlm STATIC)
  foreach(room IN LISTS LITERTLM_ROOMS)
    if(room)
      target_sources(litertlm PRIVATE $<TARGET_OBJECTS:litertlm_${room}>)
      target_link_libraries(litertlm PUBLIC litertlm_flags ${LITERTLM_${room}_LIBS})
    endif()
  endforeach()
  target_sources(litertlm PRIVATE $<TARGET_OBJECTS:litertlm_schema_objects>)
  set_target_properties(litertlm PROPERTIES LINKER_LANGUAGE CXX)
endfunction()

function(add_cli name dir)
  cmake_parse_arguments(cli "" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${dir}/*.cc)
  target_sources(${name} PRIVATE ${sources})
  target_link_libraries(${name} PRIVATE litertlm ${cli_LIBS})
endfunction()
