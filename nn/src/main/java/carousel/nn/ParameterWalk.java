package carousel.nn;

import carousel.nn.Parameters.Named;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds the parts of a record by its components, whose names make up the paths; refuses functions that hide some. */
final class ParameterWalk {

  /** The components of a record class that may lead to parameters. */
  private static final ClassValue<List<Part>> PARTS =
      new ClassValue<>() {
        @Override
        protected List<Part> computeValue(Class<?> type) {
          return Arrays.stream(type.getRecordComponents())
              .filter(component -> mayHold(component.getType()))
              .map(Part::of)
              .toList();
        }
      };

  /** A component, and what it adds to a path: nothing if it is {@link Unnamed}. */
  private record Part(Method accessor, String name) {
    static Part of(RecordComponent component) {
      boolean isUnnamed = component.isAnnotationPresent(Unnamed.class);
      return new Part(component.getAccessor(), isUnnamed ? "" : component.getName());
    }
  }

  /** Whether a layer says itself what its parameters are; it is then asked, not walked. */
  private static final ClassValue<Boolean> NAMES_ITS_OWN =
      new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
          try {
            return type.getMethod("parameters").getDeclaringClass() != Layer.class;
          } catch (NoSuchMethodException e) {
            throw new AssertionError("every layer has this method", e);
          }
        }
      };

  private final LayerVisitor visitor;

  /** Those that are looked into, which may use each other. */
  private final Set<Object> functions;

  private ParameterWalk(LayerVisitor visitor) {
    this(visitor, Collections.newSetFromMap(new IdentityHashMap<>()));
  }

  private ParameterWalk(LayerVisitor visitor, Set<Object> functions) {
    this.visitor = visitor;
    this.functions = functions;
  }

  /** All parameters of a layer; those of layers in it that say what theirs are, as they say. */
  static List<Named> of(Layer layer) {
    var found = new ArrayList<Named>();
    new ParameterWalk((path, parameter) -> found.add(new Named(path, parameter))).parts("", layer);
    return found;
  }

  /** Visits a layer and all that is in it. */
  static void visit(Layer layer, LayerVisitor visitor) {
    new ParameterWalk(visitor).layer("", layer);
  }

  /** Those of a record. A constant of an enum has none, nor has a function, which is a lambda. */
  private void parts(String path, Layer layer) {
    switch (layer) {
      case Record values -> record(path, values);
      case Enum<?> _ -> {}
      case Transform function when function.getClass().isHidden() -> checkCaptured(path, function);
      default ->
          throw new TensorException(
              "parameters: "
                  + layer.getClass().getName()
                  + " is a layer but no record, so its parameters cannot be found; make it a record of"
                  + " Parameters and Layers, or override parameters()");
    }
  }

  /** Whether it is a lambda, or an object of a class without a name: a function that may use what is around it. */
  private static boolean isFunction(Object value) {
    Class<?> type = value.getClass();
    return type.isHidden() || (type.isAnonymousClass() && !(value instanceof Enum));
  }

  /** Weights that a lambda uses are in its fields, whose types say so; values can be looked at if its package is open. */
  private void checkCaptured(String path, Object function) {
    if (!functions.add(function)) {
      return;
    }
    for (Field field : function.getClass().getDeclaredFields()) {
      Class<?> type = field.getType();
      if (Parameter.class.isAssignableFrom(type) || Layer.class.isAssignableFrom(type)) {
        throw captured(path, type.getSimpleName());
      }
      if (mayHold(type) && field.trySetAccessible()) {
        checkValue(path, type, read(field, function));
      }
    }
  }

  private void checkValue(String path, Class<?> type, @Nullable Object value) {
    LayerVisitor refusing =
        (name, parameter) -> {
          throw captured(path, type.getSimpleName() + " with a Parameter");
        };
    new ParameterWalk(refusing, functions).value(path, value);
  }

  private static TensorException captured(String path, String what) {
    return new TensorException(
        "parameters: the function"
            + (path.isEmpty() ? "" : " at '" + path + "'")
            + " uses a "
            + what
            + ", whose weights would not be found; make it a record that implements Transform");
  }

  private static @Nullable Object read(Field field, Object of) {
    try {
      return field.get(of);
    } catch (IllegalAccessException e) {
      throw new TensorException("parameters: " + field + " cannot be read", e);
    }
  }

  private void layer(String path, Layer layer) {
    if (visitor.layer(path, layer)) {
      return;
    }
    if (NAMES_ITS_OWN.get(layer.getClass())) {
      for (var named : layer.parameters()) {
        visitor.parameter(join(path, named.name()), named.parameter());
      }
    } else {
      parts(path, layer);
    }
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
    for (Part part : PARTS.get(values.getClass())) {
      value(join(path, part.name()), read(part.accessor(), values));
    }
  }

  private void value(String path, @Nullable Object value) {
    switch (value) {
      case null -> {}
      case Parameter parameter -> visitor.parameter(path, parameter);
      case Layer layer -> layer(path, layer);
      case Optional<?> optional -> value(path, optional.orElse(null));
      case List<?> list -> elements(path, list);
      case Object[] array -> elements(path, Arrays.asList(array));
      case Record values -> record(path, values);
      case Map<?, ?> map -> refuse(path, map, map.values());
      case Collection<?> values -> refuse(path, values, values);
      default -> {
        if (isFunction(value)) { // which may use another, which uses weights
          checkCaptured(path, value);
        }
      }
    }
  }

  private void elements(String path, List<?> values) {
    for (int i = 0; i < values.size(); i++) {
      value(join(path, Integer.toString(i)), values.get(i));
    }
  }

  /** Parameters in a container without an order would have no names that last. */
  private void refuse(String path, Object container, Collection<?> values) {
    var inside =
        new ParameterWalk((name, parameter) -> {
          throw new TensorException(
              "parameters: '"
                  + path
                  + "' holds parameters in a "
                  + container.getClass().getSimpleName()
                  + ", whose order is not fixed; use a List, an array or a record");
        });
    values.forEach(value -> inside.value(path, value));
  }

  private @Nullable Object read(Method accessor, Record values) {
    if (!accessor.canAccess(values) && !accessor.trySetAccessible()) {
      if (!functions.isEmpty()) {
        return null; // what a function uses need not be open
      }
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
