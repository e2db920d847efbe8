package carousel.autograd;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The floating numbers that a program gives, whatever they come in, as one vector. */
final class Outputs {
  private final List<String> names = new ArrayList<>();
  private final List<Tensor> tensors = new ArrayList<>();

  private Outputs() {}

  /** These, with other tensors in their places. */
  Outputs map(UnaryOperator<Tensor> to) {
    tensors.replaceAll(to);
    return this;
  }

  /**
   * Finds the tensors in what a program gives.
   *
   * @param given a tensor, or a record, list or array of what holds tensors
   */
  static Outputs of(@Nullable Object given) {
    var outputs = new Outputs();
    outputs.collect("output", given);
    if (outputs.tensors.isEmpty()) {
      throw new TensorException("gradCheck: the program gives no F32 or F64 tensor");
    }
    return outputs;
  }

  private void collect(String name, @Nullable Object given) {
    switch (given) {
      case Tensor tensor -> {
        if (tensor.dtype().isFloating()) {
          names.add(name);
          tensors.add(tensor);
        }
      }
      case Object[] array -> collect(name, List.of(array));
      case Iterable<?> all -> {
        int i = 0;
        for (Object each : all) {
          collect(name + " " + i++, each);
        }
      }
      case Record made -> {
        for (RecordComponent component : made.getClass().getRecordComponents()) {
          Object value = read(made, component);
          // Its settings are no outputs.
          if (value instanceof Tensor
              || value instanceof Iterable<?>
              || value instanceof Tensor[]
              || value instanceof Record) {
            collect(component.getName(), value);
          }
        }
      }
      case null, default ->
          throw new TensorException(
              "gradCheck: the program gives "
                  + (given == null ? "null" : "a " + given.getClass().getName())
                  + "; it is to give a tensor, or a record, list or array of tensors");
    }
  }

  private static @Nullable Object read(Record made, RecordComponent component) {
    try {
      var accessor = component.getAccessor();
      accessor.setAccessible(true);
      return accessor.invoke(made);
    } catch (ReflectiveOperationException | RuntimeException e) {
      if (e instanceof InvocationTargetException failed
          && failed.getCause() instanceof RuntimeException own) {
        throw own;
      }
      throw new TensorException(
          "gradCheck: cannot read "
              + component.getName()
              + " of the record "
              + made.getClass().getName()
              + "; open its package to carousel.autograd, or give a list of tensors");
    }
  }

  /** The shapes and names, to be the same at every point. */
  List<String> forms() {
    return IntStream.range(0, tensors.size())
        .mapToObj(i -> names.get(i) + " " + tensors.get(i).shape())
        .toList();
  }

  /** What has a place among the numbers of several tensors, one after the other. */
  static String element(List<String> names, List<Shape> shapes, long at) {
    long rest = at;
    for (int i = 0; i < shapes.size(); i++) {
      if (rest < shapes.get(i).size()) {
        return names.get(i) + element(shapes.get(i), rest);
      }
      rest -= shapes.get(i).size();
    }
    return "element " + at;
  }

  /** The index of an element in row-major order, {@code [3,17]}. */
  static String element(Shape shape, long at) {
    int[] index = new int[shape.rank()];
    long rest = at;
    for (int axis = index.length - 1; axis >= 0; axis--) {
      index[axis] = (int) (rest % shape.dim(axis));
      rest /= shape.dim(axis);
    }
    return index.length == 0 ? "" : Arrays.toString(index).replace(" ", "");
  }

  List<String> names() {
    return names;
  }

  List<Tensor> tensors() {
    return tensors;
  }

  /** All numbers, F64 and one after the other. */
  Tensor joined() {
    List<Tensor> flat =
        tensors.stream()
            .map(t -> (t.dtype() == DType.F64 ? t : t.cast(DType.F64)).flatten())
            .toList();
    return flat.size() == 1 ? flat.getFirst() : Tensor.concat(flat, 0);
  }
}
