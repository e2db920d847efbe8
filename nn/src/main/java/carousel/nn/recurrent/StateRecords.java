package carousel.nn.recurrent;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.List;

/** Takes state records apart and puts them together, by handles found once per class. */
final class StateRecords {
  private static final ClassValue<StateRecords> OF =
      new ClassValue<>() {
        @Override
        protected StateRecords computeValue(Class<?> type) {
          return new StateRecords(type);
        }
      };

  private final MethodHandle[] accessors;
  private final MethodHandle constructor;

  private StateRecords(Class<?> type) {
    if (!type.isRecord()) {
      throw new TensorException(
          "state: " + type.getName() + " is no record; make it a record of tensors");
    }
    RecordComponent[] components = type.getRecordComponents();
    accessors = new MethodHandle[components.length];
    Class<?>[] types = new Class<?>[components.length];
    try {
      for (int i = 0; i < components.length; i++) {
        types[i] = components[i].getType();
        if (types[i] != Tensor.class) {
          throw new TensorException(
              "state: component "
                  + components[i].getName()
                  + " of "
                  + type.getName()
                  + " is a "
                  + types[i].getSimpleName()
                  + "; a state holds tensors only");
        }
        Method accessor = components[i].getAccessor();
        open(accessor, type);
        accessors[i] =
            MethodHandles.lookup()
                .unreflect(accessor)
                .asType(MethodType.methodType(Tensor.class, RecurrentState.class));
      }
      Constructor<?> canonical = type.getDeclaredConstructor(types);
      open(canonical, type);
      constructor =
          MethodHandles.lookup()
              .unreflectConstructor(canonical)
              .asSpreader(Tensor[].class, types.length)
              .asType(MethodType.methodType(RecurrentState.class, Tensor[].class));
    } catch (ReflectiveOperationException e) {
      throw new TensorException("state: " + type.getName() + " cannot be taken apart", e);
    }
  }

  private static void open(AccessibleObject member, Class<?> type) {
    if (!member.trySetAccessible()) {
      throw new TensorException(
          "state: "
              + type.getName()
              + " of module "
              + type.getModule().getName()
              + " is closed to reflection; add 'opens "
              + type.getPackageName()
              + " to carousel.nn;' to its module-info.java, or make the record public in an"
              + " exported package");
    }
  }

  static List<Tensor> tensors(RecurrentState state) {
    MethodHandle[] handles = OF.get(state.getClass()).accessors;
    Tensor[] out = new Tensor[handles.length];
    try {
      for (int i = 0; i < out.length; i++) {
        out[i] = (Tensor) handles[i].invokeExact(state);
      }
    } catch (Error e) { // of the heap, say: none of the record's
      throw e;
    } catch (Throwable e) {
      throw new TensorException("state: reading " + state.getClass().getName() + " failed", e);
    }
    for (int i = 0; i < out.length; i++) {
      if (out[i] == null) {
        throw new TensorException(
            "state: "
                + state.getClass().getName()
                + "."
                + state.getClass().getRecordComponents()[i].getName()
                + " is null; a state has all its tensors, of zeros where there is nothing");
      }
    }
    return List.of(out);
  }

  @SuppressWarnings("unchecked") // The constructor is that of the state's own class.
  static <S extends RecurrentState> S with(S state, List<Tensor> tensors) {
    MethodHandle constructor = OF.get(state.getClass()).constructor;
    try {
      return (S) (RecurrentState) constructor.invokeExact(tensors.toArray(new Tensor[0]));
    } catch (Error e) { // of the heap, say: none of the record's
      throw e;
    } catch (Throwable e) {
      throw new TensorException("state: making " + state.getClass().getName() + " failed", e);
    }
  }
}
