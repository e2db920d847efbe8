package carousel.tensor.contract;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Device;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.reference.ReferenceBackend;
import carousel.tensor.spi.Backend;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract can fail: a backend with one small error in one method is caught. */
class BrokenBackendTest {
  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /**
   * Not computations of a row: the facade's own tests, those of Philox, of formulas and of each kernel
   * hold them.
   */
  private static final Set<String> OTHER =
      Set.of(
          "memory",
          "fill",
          "random",
          "bernoulli",
          "read",
          "write",
          "fused",
          "makesKernels",
          "refusal",
          "description",
          "inPlace",
          "recorder",
          "isAsynchronous");

  static Stream<String> methods() {
    return Arrays.stream(Backend.class.getMethods())
        .map(Method::getName)
        .filter(name -> !OTHER.contains(name))
        .distinct();
  }

  private static final Map<String, List<OpCase>> CALLERS = callers();

  /** The reference, but the last element that one of its methods writes is a little too large. */
  private static Device withAnErrorIn(String broken) {
    return Device.of(
        "broken " + broken,
        wrapped((method, arguments) -> {
          if (method.equals(broken)) {
            spoil(written(method, arguments));
          }
        }));
  }

  /** The reference, and what is done after each call of a method with what it was given. */
  private static Backend wrapped(BiConsumer<String, Object[]> after) {
    var reference = new ReferenceBackend();
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, arguments) -> {
              Object result;
              try {
                result = method.invoke(reference, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
              after.accept(method.getName(), arguments);
              return result;
            });
  }

  private static Tensor written(String method, Object[] arguments) {
    List<Tensor> tensors =
        Arrays.stream(arguments).filter(Tensor.class::isInstance).map(Tensor.class::cast).toList();
    return method.equals("scatterAdd") || method.equals("indexAdd")
        ? tensors.getFirst()
        : tensors.getLast();
  }

  private static void spoil(Tensor y) {
    if (y.size() == 0) {
      return;
    }
    long at = Engine.layout(y).offset();
    for (int axis = 0; axis < y.rank(); axis++) {
      at += (y.dim(axis) - 1) * Engine.layout(y).stride(axis);
    }
    long address = Engine.storage(y).address() + at * y.dtype().bytes();
    switch (y.dtype()) {
      case F32 -> {
        float v = ALL.get(ValueLayout.JAVA_FLOAT, address);
        ALL.set(ValueLayout.JAVA_FLOAT, address, v * 1.001f + 1e-4f);
      }
      case F64 -> {
        double v = ALL.get(ValueLayout.JAVA_DOUBLE, address);
        ALL.set(ValueLayout.JAVA_DOUBLE, address, v * (1 + 1e-10) + 1e-12);
      }
      case I32 ->
          ALL.set(ValueLayout.JAVA_INT, address, ALL.get(ValueLayout.JAVA_INT, address) + 1);
      case BOOL ->
          ALL.set(
              ValueLayout.JAVA_BYTE, address, (byte) (1 - ALL.get(ValueLayout.JAVA_BYTE, address)));
    }
  }

  /** Of all small cases those that call a method of the backend, by its name. */
  private static Map<String, List<OpCase>> callers() {
    Map<String, List<OpCase>> callers = new HashMap<>();
    Set<String> called = new HashSet<>();
    var watched = Device.of("watched", wrapped((method, arguments) -> called.add(method)));
    OpCases.all()
        .filter(c -> c.operands().getFirst().shape().size() < 100)
        .forEach(c -> {
          called.clear();
          try (var scope = TensorScope.open(watched)) {
            c.op().evaluate(c.inputs());
          }
          called.forEach(method -> callers.computeIfAbsent(method, _ -> new ArrayList<>()).add(c));
        });
    return callers;
  }

  @ParameterizedTest
  @MethodSource("methods")
  void oneWrongElementIsFound(String method) {
    Device broken = withAnErrorIn(method);
    Optional<String> violation =
        CALLERS.getOrDefault(method, List.of()).stream()
            .flatMap(c -> Contract.violations(c, broken).stream())
            .findFirst();
    assertThat(violation).as("an error in %s", method).isPresent();
  }

  @Test
  void everyComputingMethodIsTried() {
    assertThat(methods())
        .contains("unary", "binary", "ternary", "reduce", "matmul", "copy", "sort", "indexAdd");
  }

  @Test
  void soundBackendsHaveNoViolations() {
    Device sound = withAnErrorIn("nothing");
    assertThat(
            OpCases.all()
                .filter(c -> c.operands().getFirst().shape().size() < 20)
                .flatMap(c -> Contract.violations(c, sound).stream()))
        .isEmpty();
  }
}
