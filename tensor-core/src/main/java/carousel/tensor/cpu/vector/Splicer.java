package carousel.tensor.cpu.vector;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.Instruction;
import java.lang.classfile.MethodModel;
import java.lang.classfile.TypeKind;
import java.lang.classfile.attribute.CodeAttribute;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LoadInstruction;
import java.lang.classfile.instruction.LookupSwitchInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.classfile.instruction.StoreInstruction;
import java.lang.classfile.instruction.TableSwitchInstruction;
import java.lang.classfile.instruction.ThrowInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Makes a loop from a template and a body: every call of {@link OpBody} in the template is replaced by
 * the instructions of the body, and the result is defined as a hidden class that finds its constants
 * (the vector species) in its class data.
 *
 * <p>Why not keep the body in a {@code static final} lambda, which C2 inlines too? Because it does so
 * only while the lambda is small. Once the lambda was compiled on its own and came out larger than
 * {@code InlineSmallCode}, the loop calls it, and every vector that crosses the call is boxed on the
 * heap: a body of sixty vector operations then runs twenty times slower and allocates gigabytes per
 * second. Spliced code has no call to lose.
 *
 * <p>A body is a static method of a {@link BodySource} and straight-line code: no branches, no loops
 * (lanes are selected by blends). It may call other such methods; they are spliced in turn.
 */
final class Splicer {
  /** HotSpot's HugeMethodLimit. */
  private static final int HUGE = 8000;

  private static final Map<Class<?>, ClassModel> MODELS = new ConcurrentHashMap<>();

  private Splicer() {}

  /**
   * A new instance of {@code template}'s copy in which {@code body} stands for every call of {@link
   * OpBody}.
   *
   * @param body name of the static method of {@code source} to splice
   * @param classData what the template reads with {@link Lanes#datum}, the species first
   */
  static <T> T define(
      Class<T> type, Class<?> template, BodySource source, String body, Object... classData) {
    MethodModel spliced = method(source.owner(body), body, null);
    byte[] bytes =
        ClassFile.of()
            .transformClass(
                model(template),
                ClassTransform.transformingMethodBodies((code, element) -> {
                  if (element instanceof InvokeInstruction call && isMarker(call)) {
                    splice(code, spliced, call.typeSymbol());
                  } else {
                    code.with(element);
                  }
                }));
    requireCompilable(bytes, name(spliced));
    return type.cast(Generated.instantiate(bytes, List.of(classData)));
  }

  /** Beyond this the JVM leaves a method to the interpreter, where vectors take microseconds. */
  private static void requireCompilable(byte[] bytes, String body) {
    for (MethodModel method : ClassFile.of().parse(bytes).methods()) {
      int length = method.code().map(code -> ((CodeAttribute) code).codeLength()).orElse(0);
      if (length >= HUGE) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "%s makes %s %d bytes long; it must be below %d",
                body,
                name(method),
                length,
                HUGE));
      }
    }
  }

  /** A new instance of the copy of a template without a hole. */
  static <T> T define(Class<T> type, Class<?> template, Object... classData) {
    byte[] bytes = ClassFile.of().transformClass(model(template), ClassTransform.ACCEPT_ALL);
    return type.cast(Generated.instantiate(bytes, List.of(classData)));
  }

  /** Emits a body whose operands, of the types {@code call} says, lie on the operand stack. */
  static void splice(CodeBuilder code, BodySource source, String body, MethodTypeDesc call) {
    splice(code, method(source.owner(body), body, null), call);
  }

  /** Bytes of a body, with those it calls. */
  static int size(BodySource source, String body) {
    return size(method(source.owner(body), body, null));
  }

  private static int size(MethodModel body) {
    int size = body.code().map(code -> ((CodeAttribute) code).codeLength()).orElseThrow();
    for (CodeElement element : body.code().orElseThrow()) {
      if (element instanceof InvokeInstruction call) {
        Class<?> bodies = BodySource.named(call.owner().asInternalName());
        if (bodies != null) {
          size += size(method(bodies, call.name().stringValue(), call.typeSymbol()));
        }
      }
    }
    return size;
  }

  private static boolean isMarker(InvokeInstruction call) {
    return call.owner().asInternalName().equals(OpBody.class.getName().replace('.', '/'));
  }

  /** Emits {@code body} for a call whose arguments lie on the operand stack. */
  private static void splice(CodeBuilder code, MethodModel body, MethodTypeDesc call) {
    MethodTypeDesc type = body.methodTypeSymbol();
    int arity = type.parameterCount();
    if (call.parameterCount() != arity) {
      throw new IllegalArgumentException(
          name(body)
              + " takes "
              + arity
              + " operands, the template gives "
              + call.parameterCount());
    }
    int[] slots = new int[maxLocals(body)];
    for (int i = 0; i < slots.length; i++) {
      // Two slots each: room for a long, a double, or any other kind.
      slots[i] = code.allocateLocal(TypeKind.LONG);
    }
    int[] parameters = new int[arity];
    for (int i = 0, slot = 0; i < arity; slot += slotSize(type.parameterType(i++))) {
      parameters[i] = slots[slot];
    }
    for (int i = arity - 1; i >= 0; i--) {
      ClassDesc wanted = type.parameterType(i);
      if (!wanted.isPrimitive() && !wanted.equals(call.parameterType(i))) {
        code.checkcast(wanted);
      }
      code.storeLocal(TypeKind.from(wanted), parameters[i]);
    }
    for (CodeElement element : body.code().orElseThrow()) {
      emit(code, body, slots, element);
    }
  }

  private static void emit(CodeBuilder code, MethodModel body, int[] slots, CodeElement element) {
    switch (element) {
      case LoadInstruction load -> code.loadLocal(load.typeKind(), slots[load.slot()]);
      case StoreInstruction store -> code.storeLocal(store.typeKind(), slots[store.slot()]);
      case ReturnInstruction _ -> {
        // The result is on the stack, and straight-line code returns once, at its end.
      }
      case BranchInstruction _,
          TableSwitchInstruction _,
          LookupSwitchInstruction _,
          ThrowInstruction _ ->
          throw new IllegalArgumentException(
              name(body) + " is not straight-line code: " + element + "; select lanes by blend");
      case InvokeInstruction call -> {
        Class<?> bodies = BodySource.named(call.owner().asInternalName());
        if (bodies == null) {
          code.with(call);
        } else {
          MethodTypeDesc type = call.typeSymbol();
          splice(code, method(bodies, call.name().stringValue(), type), type);
        }
      }
      case Instruction instruction -> code.with(instruction);
      default -> {
        // Labels, line numbers and names of locals describe the body's own method.
      }
    }
  }

  private static int slotSize(ClassDesc type) {
    return TypeKind.from(type).slotSize();
  }

  private static int maxLocals(MethodModel body) {
    return body.code().map(code -> ((CodeAttribute) code).maxLocals()).orElseThrow();
  }

  private static String name(MethodModel method) {
    return method.parent().orElseThrow().thisClass().asInternalName()
        + "."
        + method.methodName().stringValue();
  }

  private static MethodModel method(Class<?> owner, String name, @Nullable MethodTypeDesc type) {
    for (MethodModel method : model(owner).methods()) {
      if (method.methodName().equalsString(name)
          && (type == null || method.methodTypeSymbol().equals(type))) {
        return method;
      }
    }
    throw new IllegalArgumentException(owner.getName() + " has no body " + name);
  }

  private static ClassModel model(Class<?> type) {
    return MODELS.computeIfAbsent(type, Splicer::read);
  }

  private static ClassModel read(Class<?> type) {
    String file = type.getName().substring(type.getPackageName().length() + 1) + ".class";
    try (InputStream in = type.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException("class file not found beside its class: " + file);
      }
      return ClassFile.of().parse(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
