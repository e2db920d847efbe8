package carousel.testing;

import carousel.autograd.GradCheck;
import carousel.tensor.Device;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.lang.reflect.Method;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.opentest4j.TestAbortedException;

/**
 * Opens a {@link TensorScope} before each test, and its {@code @BeforeEach} methods, and closes it after them. A
 * test may take it as a parameter.
 *
 * <pre>{@code
 * @ExtendWith(ScopeExtension.class)
 * class MyOpTest {
 *   @Test
 *   void isItself(TensorScope scope) {
 *     Tensor x = Tensor.of(1.0, 2.0);
 *     Assertions.assertTrue(x.copy().sameValues(x));
 *   }
 * }
 * }</pre>
 *
 * <p>A test fails if it leaves a scope of its own open, and if memory outlives it that no enclosing scope has
 * taken over: a pullback that was neither pulled nor closed holds what it saved. Tensors that were kept in
 * an enclosing scope are reported as an entry, {@code kept}, and nothing is said of others then. Memory is
 * counted for the whole CPU: of tests that run in parallel it cannot be told whose it is, and is not.
 *
 * <p>A test that takes a {@link GradCheck} has the scope on its device, and is skipped where that is not
 * there.
 */
public final class ScopeExtension
    implements BeforeEachCallback, AfterEachCallback, InvocationInterceptor, ParameterResolver {
  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(ScopeExtension.class);

  /** Makes the extension; JUnit does. */
  public ScopeExtension() {}

  /** The scope of a test, and what there was before it. */
  private record Opened(
      TensorScope scope, @Nullable TensorScope around, long bytesAround, Map<Device, Long> inUse) {}

  @Override
  public void beforeEach(ExtensionContext context) {
    TensorScope around = innermost();
    var opened =
        new Opened(TensorScope.open(), around, around == null ? 0 : around.bytes(), inUse());
    context.getStore(NAMESPACE).put(Opened.class, opened);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    Opened opened = context.getStore(NAMESPACE).remove(Opened.class, Opened.class);
    if (opened == null) {
      return;
    }
    TensorScope left = innermost();
    String open = left == null || left == opened.scope() ? "" : left.toString();
    opened.scope().close();
    if (!open.isEmpty()) {
      throw new AssertionError(
          "the test left open "
              + open
              + "; open it in a try (var scope = TensorScope.open()) { ... }");
    }
    TensorScope around = opened.around();
    long kept = around == null ? 0 : around.bytes() - opened.bytesAround();
    if (kept > 0) {
      context.publishReportEntry("kept", kept + " bytes in " + around);
    }
    // Devices count what they give out, which is more than was asked for.
    if (kept == 0
        && context.getExecutionMode() == ExecutionMode.SAME_THREAD
        && context.getExecutionException().isEmpty()) {
      requireFreed(opened.inUse());
    }
  }

  private static void requireFreed(Map<Device, Long> before) {
    inUse()
        .forEach((device, now) -> {
          long more = now - before.getOrDefault(device, now);
          if (more > 0) {
            throw new AssertionError(
                more
                    + " bytes on "
                    + device
                    + " outlive the test: close pullbacks that are not pulled, or pull them");
          }
        });
  }

  private static Map<Device, Long> inUse() {
    Map<Device, Long> bytes = new LinkedHashMap<>();
    // Others would be opened by looking.
    for (Device device : List.of(Device.cpu(), Device.reference())) {
      bytes.put(device, device.backend().memory().inUse());
    }
    return bytes;
  }

  private static @Nullable TensorScope innermost() {
    try {
      return TensorScope.current();
    } catch (TensorException e) {
      return null;
    }
  }

  @Override
  public void interceptTestTemplateMethod(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> call,
      ExtensionContext context)
      throws Throwable {
    for (Object argument : call.getArguments()) {
      Device device = argument instanceof GradCheck check ? check.device() : null;
      if (device != null) {
        String absent = Devices.absence(device);
        if (absent != null) {
          invocation.skip();
          throw new TestAbortedException(absent);
        }
        try (var scope = TensorScope.open(device)) {
          invocation.proceed();
        }
        return;
      }
    }
    invocation.proceed();
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == TensorScope.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return TensorScope.current();
  }
}
