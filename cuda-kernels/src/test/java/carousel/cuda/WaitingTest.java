package carousel.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.cuda.driver.CudaDriver;
import carousel.nn.Layer;
import carousel.nn.Training;
import carousel.nn.init.Init;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.Linear;
import carousel.nn.loss.Loss;
import carousel.nn.optim.Adam;
import carousel.nn.optim.Rule;
import carousel.nn.optim.Sgd;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A step of training, clipped, waits for the device nowhere: only reading the loss does. */
class WaitingTest {
  private static final Set<String> WAITING = Set.of("download", "synchronize");

  /** A language model: everything in it that looks at numbers is there. */
  record Model(Embedding embedding, Recurrent<?> lstm, Linear head) implements Layer {
    Tensor loss(Tensor tokens, Tensor lengths, Tensor next) {
      Tensor x = new Dropout(0.2).apply(embedding.apply(tokens));
      return Loss.crossEntropy(head.apply(lstm.run(x, lengths).y()), next);
    }
  }

  @TestFactory
  Stream<DynamicTest> onlyReadingTheLossWaits() {
    return Stream.of(Adam.rule(), Sgd.rule().withMomentum(0.9), Sgd.rule())
        .map(rule -> DynamicTest.dynamicTest(rule.toString(), () -> train(rule)));
  }

  private static void train(Rule rule) {
    var waits = new AtomicInteger();
    CudaDriver driver = counting(Cuda.emulated(), waits);
    var device = Device.of("counting", Cuda.backend(driver));
    try (var run = TensorScope.open(device)) {
      var rng = Philox.of(1);
      var init = Init.xavierUniform();
      var model =
          new Model(
              Embedding.of(50, 4, init, rng), // more rows than a batch has tokens
              Recurrent.of(Lstm.of(4, 4, init, rng)),
              Linear.of(4, 50, init, rng));
      var optimizer = rule.over(model.parameters(), 0.01);
      var noise = Philox.of(2);
      for (int i = 0; i < 3; i++) {
        try (var step = TensorScope.open()) {
          Tensor tokens = rng.uniform(DType.F32, 0, 50, 5, 2).cast(DType.I32);
          Tensor lengths = Tensor.of(5, 3);
          Tensor next = rng.uniform(DType.F32, 0, 50, 5, 2).cast(DType.I32);
          int before = waits.get();
          var gradients =
              Grad.of(
                  () -> Training.with(noise, () -> model.loss(tokens, lengths, next)),
                  model.parameters());
          optimizer.step(gradients.clipNorm(1e-3));
          assertThat(waits.get() - before).as("waits in step %d", i).isZero();
          assertThat(gradients.value().item()).isPositive();
          assertThat(waits.get() - before).as("waits to read the loss").isPositive();
        }
      }
    }
  }

  /** A driver that counts the calls that wait for the device. */
  private static CudaDriver counting(CudaDriver driver, AtomicInteger waits) {
    return (CudaDriver)
        Proxy.newProxyInstance(
            CudaDriver.class.getClassLoader(),
            new Class<?>[] {CudaDriver.class},
            (proxy, method, arguments) -> {
              if (WAITING.contains(method.getName())) {
                waits.incrementAndGet();
              }
              try {
                return method.invoke(driver, arguments);
              } catch (InvocationTargetException e) {
                throw Objects.requireNonNull(e.getCause());
              }
            });
  }
}
