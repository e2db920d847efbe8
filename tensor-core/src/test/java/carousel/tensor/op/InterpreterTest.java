package carousel.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What applying a row means is up to the interpreter in force. */
class InterpreterTest {
  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  /** Writes down what is applied to what, and computes it. */
  private static Interpreter tracer(List<String> lines) {
    return (op, inputs) -> {
      Tensor[] outputs = op.evaluate(inputs);
      lines.add(
          op.label()
              + Arrays.stream(inputs).map(x -> x.shape().toString()).toList()
              + " → "
              + Arrays.stream(outputs).map(x -> x.shape().toString()).toList());
      return outputs;
    };
  }

  @Test
  void aTracerSeesEveryOpOfTheFacade() {
    List<String> lines = new ArrayList<>();
    Tensor x = Tensor.ones(2, 3);
    Tensor w = Tensor.ones(3, 4);
    Tensor loss =
        tracer(lines)
            .run(() -> {
              List<Tensor> q = x.matmul(w).chunk(2, -1);
              return q.getFirst().sigmoid().mul(q.getLast().tanh()).add(1).sum();
            });
    assertThat(loss.shape()).isEqualTo(Shape.SCALAR);
    assertThat(lines)
        .containsExactly(
            "matmul[[2,3], [3,4]] → [[2,4]]",
            "split[[2,4]] → [[2,2], [2,2]]",
            "sigmoid[[2,2]] → [[2,2]]",
            "tanh[[2,2]] → [[2,2]]",
            "mul[[2,2], [2,2]] → [[2,2]]",
            "add[[2,2], []] → [[2,2]]",
            "sum[[2,2]] → [[1,1]]",
            "reshape[[1,1]] → [[]]");
  }

  /** Evaluating a row must not apply others: a tape would record them twice. */
  @Test
  void rowsAreEvaluatedBelowTheInterpreter() {
    Interpreter one =
        (op, inputs) -> {
          Interpreter none =
              (inner, in) -> {
                throw new AssertionError(op + " applied " + inner);
              };
          return none.run(() -> op.evaluate(inputs));
        };
    one.run(() -> {
      Tensor x = Tensor.arange(carousel.tensor.DType.F32, 0, 6, 1).reshape(2, 3);
      Tensor i = Tensor.of(0, 1);
      Tensor.concat(List.of(x, x.flip(1)), 0);
      Tensor.stack(List.of(x.transpose(0, 1), x.transpose(0, 1)), 0);
      x.transpose(0, 1).indexSelect(i, 0).sum(0);
      x.transpose(0, 1).indexAdd(i, x.transpose(0, 1), 1);
      x.gather(Tensor.of(Shape.of(1, 3), 1, 0, 1), 0);
      x.transpose(0, 1).to(carousel.tensor.Device.reference());
      x.pad(0, 1, 1, 0).softmax(1).cumsum(0).sort(1, true);
      return x.cast(carousel.tensor.DType.I32);
    });
  }

  @Test
  void interpretersNest() {
    List<String> outer = new ArrayList<>();
    List<String> inner = new ArrayList<>();
    Interpreter traced = tracer(outer);
    traced.run(() -> {
      Tensor x = Tensor.ones(2).neg();
      tracer(inner).run(x::exp);
      assertThat(Interpreter.current()).isSameAs(traced);
      return x.abs();
    });
    assertThat(outer).containsExactly("neg[[2]] → [[2]]", "abs[[2]] → [[2]]");
    assertThat(inner).containsExactly("exp[[2]] → [[2]]");
    assertThat(Interpreter.current()).isSameAs(Interpreter.EAGER);
  }

  @Test
  void anExceptionEndsTheInterpretation() {
    assertThatThrownBy(() ->
            tracer(new ArrayList<>())
                .run(() -> {
                  throw new IllegalStateException("stop");
                }))
        .isInstanceOf(IllegalStateException.class);
    assertThat(Interpreter.current()).isSameAs(Interpreter.EAGER);
  }

  @Test
  void otherThreadsAreNotInterpreted() throws InterruptedException {
    List<String> lines = new ArrayList<>();
    var seen = new AtomicReference<Interpreter>();
    tracer(lines)
        .run(() -> {
          Thread thread = Thread.ofPlatform().start(() -> seen.set(Interpreter.current()));
          try {
            thread.join();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
          return 0;
        });
    assertThat(seen.get()).isSameAs(Interpreter.EAGER);
  }

  @Test
  void labelsAreTheNamesOfTheFacade() {
    assertThat(Unary.IS_NAN.label()).isEqualTo("isNan");
    assertThat(Binary.LEAKY_RELU.label()).isEqualTo("leakyRelu");
    assertThat(Reduce.LOG_SUM_EXP.label()).isEqualTo("logSumExp");
    assertThat(Ternary.FMA.label()).isEqualTo("fma");
    assertThat(new ReduceAxes(Reduce.SUM, List.of(0, 2))).hasToString("sum[0, 2]");
    assertThat(new Softmax(0, true).label()).isEqualTo("logSoftmax");
  }
}
