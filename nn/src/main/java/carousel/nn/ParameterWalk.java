package carousel.nn;

import carousel.nn.Parameters.Named;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds the parameters of a record by its components, whose names make up the paths. */
final class ParameterWalk {

  /** The accessors of a record class, of those components that may lead to parameters. */
  private static final ClassValue<List<Method>> ACCESSORS =
      new ClassValue<>() {
        @Override
        protected List<Method> computeValue(Class<?> type) {
          return Arrays.stream(type.getRecordComponents())
              .filter(component -> mayHold(component.getType()))
              .map(RecordComponent::getAccessor)
              .toList();
        }
      };

  private final List<Named> found = new ArrayList<>();

  private ParameterWalk() {}

  static List<Named> of(Layer layer) {
    if (!(layer instanceof Record values)) {
      throw new TensorException(
          "parameters: "
              + layer.getClass().getName()
              + " is a layer but no record, so its parameters cannot be found; make it a record of"
              + " Parameters and Layers, or override parameters()");
    }
    var walk = new ParameterWalk();
    walk.record("", values);
    return walk.found;
  }

  /** Settings and tensors hold no parameters; a record of nothing else need not be open. */
  private static boolean mayHold(Class<?> type) {
    var element = type;
    while (element.isArray()) {
      element = element.getComponentType();
    }
    return !element.isPrimitive()
        && !element.isEnum()
        && !Number.class.isAssignableFrom(element)
        && !Set.of(String.class, Boolean.class, Character.class, Tensor.class).contains(element);
  }

  private void record(String path, Record values) {
    for (Method accessor : ACCESSORS.get(values.getClass())) {
      value(join(path, accessor.getName()), read(accessor, values));
    }
  }

  private void value(String path, @Nullable Object value) {
    switch (value) {
      case null -> {}
      case Parameter parameter -> found.add(new Named(path, parameter));
      // Asked, not walked: a layer may override what its parameters are.
      case Layer layer ->
          layer
              .parameters()
              .forEach(named -> found.add(new Named(join(path, named.name()), named.parameter())));
      case Optional<?> optional -> value(path, optional.orElse(null));
      case List<?> list -> elements(path, list);
      case Object[] array -> elements(path, Arrays.asList(array));
      case Record values -> record(path, values);
      case Map<?, ?> map -> refuse(path, map, map.values());
      case Collection<?> values -> refuse(path, values, values);
      default -> {}
    }
  }

  private void elements(String path, List<?> values) {
    for (int i = 0; i < values.size(); i++) {
      value(join(path, Integer.toString(i)), values.get(i));
    }
  }

  /** Parameters in a container without an order would have no names that last. */
  private void refuse(String path, Object container, Collection<?> values) {
    int before = found.size();
    values.forEach(value -> value(path, value));
    if (found.size() > before) {
      throw new TensorException(
          "parameters: '"
              + path
              + "' holds parameters in a "
              + container.getClass().getSimpleName()
              + ", whose order is not fixed; use a List, an array or a record");
    }
  }

  private static @Nullable Object read(Method accessor, Record values) {
    if (!accessor.canAccess(values) && !accessor.trySetAccessible()) {
      var type = accessor.getDeclaringClass();
      throw new TensorException(
          "parameters: "
              + type.getName()
              + " of module "
              + type.getModule().getName()
              + " is closed to reflection; add 'opens "
              + type.getPackageName()
              + " to carousel.nn;' to its module-info.java, or make the record public in an"
              + " exported package");
    }
    try {
      return accessor.invoke(values);
    } catch (IllegalAccessException e) {
      throw new TensorException("parameters: " + accessor + " cannot be called", e);
    } catch (InvocationTargetException e) {
      throw new TensorException("parameters: " + accessor + " failed", e);
    }
  }

  private static String join(String path, String name) {
    return path.isEmpty() ? name : name.isEmpty() ? path : path + "." + name;
  }
}
