package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.layer.Residual;
import carousel.nn.layer.Sequential;
import carousel.nn.optim.Adam;
import carousel.nn.optim.LazyRows;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.Philox;
import carousel.tensor.TensorScope;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What must not be null is refused where it is given, not where it is read, which may be an hour later: every component
 * of every record of which models are made, and the error names it.
 */
class NullsTest {
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private static Map<String, Record> samples() {
    var init = Init.xavierUniform();
    var rng = Philox.of(1);
    var linear = Linear.of(3, 3, init, rng);
    var embedding = Embedding.of(5, 3, init, rng);
    var lstm = Recurrent.of(Cells.of("lstm", 3, 3, init, rng));
    var samples = new TreeMap<String, Record>();
    for (Record sample :
        List.of(
            linear,
            embedding,
            Linear.tied(embedding),
            LayerNorm.of(3),
            Sequential.of(linear, Activation.TANH),
            new Residual(linear),
            lstm,
            Bidirectional.of(Cells.of("gru", 3, 3, init, rng), Cells.of("elman", 3, 3, init, rng)),
            Stacked.of(lstm, lstm),
            (Record) lstm.then(linear),
            (Record) lstm.residual(),
            new LazyRows(Adam.rule()))) {
      samples.put(sample.getClass().getSimpleName(), sample);
    }
    for (String name : Cells.names()) {
      samples.put(name, (Record) Cells.of(name, 3, 3, init, rng));
    }
    return samples;
  }

  private static List<RecordComponent> components(Record sample) {
    return Arrays.stream(sample.getClass().getRecordComponents())
        .filter(c -> !c.getType().isPrimitive())
        .filter(c -> !c.getAnnotatedType().isAnnotationPresent(Nullable.class))
        .toList();
  }

  @TestFactory
  Stream<DynamicTest> areRefusedWhereTheyAreGiven() {
    var samples = samples();
    assertThat(samples).hasSizeGreaterThan(20);
    return samples.entrySet().stream()
        .flatMap(entry ->
            components(entry.getValue()).stream()
                .map(component ->
                    DynamicTest.dynamicTest(
                        entry.getKey() + "." + component.getName(),
                        () -> check(entry.getValue(), component))));
  }

  private static void check(Record sample, RecordComponent without) throws Exception {
    var components = sample.getClass().getRecordComponents();
    var types = Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    var values = new @Nullable Object[components.length];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          components[i].getName().equals(without.getName())
              ? null
              : components[i].getAccessor().invoke(sample);
    }
    Constructor<?> canonical = sample.getClass().getConstructor(types);
    var thrown = catchThrowable(() -> canonical.newInstance(values));
    assertThat(thrown).as("accepted").isInstanceOf(InvocationTargetException.class);
    assertThat(thrown.getCause()).isNotNull().hasMessageContaining(without.getName());
  }
}
