package carousel.tensor.cpu.vector;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.DirectMethodHandleDesc;
import java.lang.constant.DynamicConstantDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.Consumer;
import jdk.incubator.vector.VectorSpecies;

/** Hidden classes written instruction by instruction, whose constants are their class data. */
final class Generated {
  static final ClassDesc SPECIES = describe(VectorSpecies.class);
  static final ClassDesc SEGMENT = describe(MemorySegment.class);
  static final ClassDesc ORDER = describe(ByteOrder.class);

  private static final DirectMethodHandleDesc CLASS_DATA_AT =
      ConstantDescs.ofConstantBootstrap(
          ConstantDescs.CD_MethodHandles,
          "classDataAt",
          ConstantDescs.CD_Object,
          ConstantDescs.CD_int);

  private Generated() {}

  /** An instance of a new class that implements {@code type} by {@code methods}. */
  static <T> T define(
      Class<T> type, String name, List<?> classData, Consumer<ClassBuilder> methods) {
    byte[] bytes =
        ClassFile.of()
            .build(
                ClassDesc.of(Generated.class.getPackageName(), name),
                builder -> {
                  builder
                      .withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER)
                      .withInterfaceSymbols(describe(type));
                  constructor(builder);
                  methods.accept(builder);
                });
    return type.cast(instantiate(bytes, classData));
  }

  /** Defines a hidden class of this package from its bytes and calls its constructor. */
  static Object instantiate(byte[] bytes, Object classData) {
    try {
      MethodHandles.Lookup hidden =
          MethodHandles.lookup().defineHiddenClassWithClassData(bytes, classData, true);
      return hidden
          .findConstructor(hidden.lookupClass(), MethodType.methodType(void.class))
          .invoke();
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("cannot define a loop as a hidden class", e);
    }
  }

  /** A method that returns {@code value}. */
  static void intMethod(ClassBuilder builder, String name, int value) {
    builder.withMethodBody(
        name,
        MethodTypeDesc.of(ConstantDescs.CD_int),
        ClassFile.ACC_PUBLIC,
        code -> code.loadConstant(value).ireturn());
  }

  /** Pushes the constant at {@code index} of the class data. */
  static CodeBuilder push(CodeBuilder code, int index, ClassDesc type) {
    return code.ldc(DynamicConstantDesc.ofNamed(CLASS_DATA_AT, "_", type, index));
  }

  /** Adds the long local {@code by} to the long local {@code local}. */
  static void advance(CodeBuilder code, int local, int by) {
    code.lload(local).lload(by).ladd().lstore(local);
  }

  static ClassDesc describe(Class<?> type) {
    return type.describeConstable().orElseThrow();
  }

  private static void constructor(ClassBuilder builder) {
    builder.withMethodBody(
        ConstantDescs.INIT_NAME,
        ConstantDescs.MTD_void,
        0,
        code ->
            code.aload(0)
                .invokespecial(
                    ConstantDescs.CD_Object, ConstantDescs.INIT_NAME, ConstantDescs.MTD_void)
                .return_());
  }
}
