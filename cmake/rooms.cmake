# Rooms: one object library per folder of src/. Sources are found by name, so that adding a file
# needs no edit here. The library is all rooms together.

# Not the project's own folder: tests/processors is another project with the same rooms.
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH source_root)

# What every source of the project is compiled with.
add_library(litertlm_flags INTERFACE)
target_compile_options(litertlm_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor $<$<BOOL:${LITERTLM_WERROR}>:-Werror>
  # Floating-point contraction would let one instruction set round differently from another.
  -ffp-contract=off)
target_include_directories(litertlm_flags INTERFACE
  ${source_root}/src ${source_root}/include)
# A library that is named but not used would still be loaded at every start.
target_link_options(litertlm_flags INTERFACE -Wl,--as-needed)

# A build that is made whole rather than edited (presets release, asan …) compiles eight sources at
# a time: reading headers is most of the work for an ordinary source, and half of such a build.
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)

# Instruction sets: a file whose name ends in _avx2.cc (…) is compiled for that set, and only such
# files are; everything else runs on any processor of the architecture.
function(set_instruction_set_flags)
  foreach(source IN LISTS ARGN)
    if(source MATCHES "_sse41\\.cc$")
      set(flags -msse4.1)
    elseif(source MATCHES "_avx2\\.cc$")
      set(flags -mavx2 -mfma -mf16c -mbmi2 -mprfchw)
    elseif(source MATCHES "_avxvnni\\.cc$")
      set(flags -mavx2 -mfma -mf16c -mbmi2 -mprfchw -mavxvnni)
    elseif(source MATCHES "_avx512vnni\\.cc$")
      set(flags -mavx2 -mfma -mf16c -mbmi2 -mprfchw -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni
                -mprefer-vector-width=512)
    elseif(source MATCHES "_neondot\\.cc$")
      set(flags -march=armv8.2-a+dotprod)
    else()
      continue()
    endif()
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${flags}")
  endforeach()
endfunction()

# add_room(NAME [USES room…] [LIBS library…]): the sources of src/NAME. USES names the rooms that
# it may include; they must have been added before. LIBS are libraries from outside.
function(add_room name)
  cmake_parse_arguments(room "" "" "USES;LIBS" ${ARGN})
  set(dir ${source_root}/src/${name})
  set(folders . scalar families ops passes)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND folders x86)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    list(APPEND folders arm)
  endif()
  list(TRANSFORM folders REPLACE ".+" "${dir}/\\0/*.cc")
  file(GLOB sources CONFIGURE_DEPENDS ${folders})
  if(NOT sources)
    return()
  endif()
  set_instruction_set_flags(${sources})

  # Headers of the rooms below may include headers of their libraries.
  foreach(used IN LISTS room_USES)
    get_property(used_libs GLOBAL PROPERTY litertlm_${used}_libs)
    list(APPEND room_LIBS ${used_libs})
  endforeach()
  list(REMOVE_DUPLICATES room_LIBS)
  set_property(GLOBAL PROPERTY litertlm_${name}_libs ${room_LIBS})
  set_property(GLOBAL APPEND PROPERTY litertlm_rooms ${name})

  add_library(litertlm_${name} OBJECT ${sources})
  target_link_libraries(litertlm_${name} PRIVATE litertlm_flags ${room_LIBS})
endfunction()

# The targets made of all rooms:
#   litertlm           liblitertlm.a, which shows its users the public headers only
#   litertlm_internal  the same with every header of src/, for the program and the tests
function(add_library_from_rooms)
  add_library(litertlm STATIC $<TARGET_OBJECTS:litertlm_schema_objects>)
  add_library(litertlm::litertlm ALIAS litertlm)
  add_library(litertlm_internal INTERFACE)
  target_include_directories(litertlm INTERFACE
    $<BUILD_INTERFACE:${source_root}/include> $<INSTALL_INTERFACE:include>)
  target_compile_features(litertlm INTERFACE cxx_std_20)
  target_link_libraries(litertlm_internal INTERFACE litertlm litertlm_flags)

  get_property(rooms GLOBAL PROPERTY litertlm_rooms)
  foreach(room IN LISTS rooms)
    get_property(libs GLOBAL PROPERTY litertlm_${room}_libs)
    target_sources(litertlm PRIVATE $<TARGET_OBJECTS:litertlm_${room}>)
    target_link_libraries(litertlm_internal INTERFACE ${libs})
    list(APPEND all_libs ${libs})
  endforeach()
  list(REMOVE_DUPLICATES all_libs)
  # Headers made from schema/ are needed to build the rooms, not to link them.
  list(REMOVE_ITEM all_libs litertlm_schemas)
  target_link_libraries(litertlm PRIVATE ${all_libs})
endfunction()
