package carousel.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.jvm.FreshJvm;
import carousel.tensor.reference.ReferenceBackend;
import carousel.tensor.spi.Backend;
import carousel.tensor.spi.Fused;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A composite is its body, or what a backend offers under its name. */
class CompositeTest {
  private static final Composite TWICE =
      Composite.fixed("twice", in -> new Tensor[] {in[0].add(in[0])});
  private static final Composite PRODUCT = Composite.of("product", (a, b) -> a.mul(b));

  /** Fills the result with 42, so that nobody takes it for the body's. */
  private record FortyTwo(Object identity) implements Fused {
    @Override
    public Result forward(Tensor[] inputs) {
      return new Result(new Tensor[] {inputs[0].onesLike().mul(42)}, new Tensor[0]);
    }

    @Override
    public @Nullable Tensor[] backward(
        Tensor[] inputs, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
      return new Tensor[] {null};
    }
  }

  /** The reference, with a fused form of "twice". */
  private static Device fusing(List<String> asked) {
    var reference = new ReferenceBackend();
    var identity = new Object();
    Backend backend =
        (Backend)
            Proxy.newProxyInstance(
                Backend.class.getClassLoader(),
                new Class<?>[] {Backend.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("fused")) {
                    asked.add(((Composite) arguments[0]).label());
                    return asked.getLast().equals("twice") ? new FortyTwo(identity) : null;
                  }
                  try {
                    return method.invoke(reference, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
    return Device.of("fusing", backend);
  }

  @Test
  void theBackendsSpellingIsTaken() {
    List<String> asked = new ArrayList<>();
    try (var scope = TensorScope.open(fusing(asked))) {
      assertThat(Op.apply(TWICE, Tensor.of(3f)).item()).isEqualTo(42);
      assertThat(Op.apply(PRODUCT, Tensor.of(3f), Tensor.of(5f)).item()).isEqualTo(15);
      assertThat(asked).containsExactly("twice", "product");
      assertThat(TWICE.fused()).as("of no inputs").isNull();
    }
  }

  @Test
  void aSpellingThatIsWrongIsFoundOut() {
    List<String> asked = new ArrayList<>();
    var open = Composite.of("twice", x -> x.add(x));
    try (var scope = TensorScope.open(fusing(asked))) {
      for (int i = 0; i < 3; i++) {
        assertThat(Op.apply(open, Tensor.of(3f)).item()).isEqualTo(6);
      }
      assertThat(Agreement.trusting(() -> Op.apply(open, Tensor.of(3f)).item())).isEqualTo(42);
    }
  }

  @Test
  void withoutOneTheBodyRuns() {
    try (var scope = TensorScope.open(Device.reference())) {
      assertThat(TWICE.fused(Tensor.of(3f))).isNull();
      assertThat(Op.apply(TWICE, Tensor.of(3f)).item()).isEqualTo(6);
      assertThat(TWICE.vjp()).isSameAs(Vjp.none());
    }
  }

  /** Says what "twice" of 3 is where a backend offers 42. */
  public static final class Program {
    /** Prints the result. */
    public static void main(String[] args) {
      List<String> asked = new ArrayList<>();
      try (var scope = TensorScope.open(fusing(asked))) {
        System.out.println("twice 3 is " + Op.apply(TWICE, Tensor.of(3f)).item() + " " + asked);
      }
    }
  }

  @Test
  void fusionCanBeTurnedOff() {
    assertThat(FreshJvm.run(Program.class, "-Dcarousel.fused=off").output())
        .contains("twice 3 is 6.0 []");
    assertThat(FreshJvm.run(Program.class).output()).contains("twice 3 is 42.0 [twice]");
  }
}
