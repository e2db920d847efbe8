package carousel.benchmarks.soak;

import carousel.autograd.Grad;
import carousel.nn.Layer;
import carousel.nn.Training;
import carousel.nn.init.Init;
import carousel.nn.io.Checkpoint;
import carousel.nn.io.Checkpoints;
import carousel.nn.io.Safetensors;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Linear;
import carousel.nn.loss.Loss;
import carousel.nn.optim.AdaGrad;
import carousel.nn.optim.Adadelta;
import carousel.nn.optim.Adam;
import carousel.nn.optim.AdamW;
import carousel.nn.optim.NAdam;
import carousel.nn.optim.Optimizer;
import carousel.nn.optim.RAdam;
import carousel.nn.optim.RmsProp;
import carousel.nn.optim.Rule;
import carousel.nn.optim.Sgd;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.Marks;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A short training of one random model.
 *
 * @param cell its name in {@link Cells}
 * @param type of all weights
 * @param time T
 * @param batch N
 * @param inputs D
 * @param hidden H
 * @param layers how many, one on the other
 * @param bidirectional whether each is a pair
 * @param ragged whether rows have lengths of their own
 * @param dropout between layers
 * @param optimizer how weights change
 * @param checkpointed whether the model is a segment that backward runs again
 * @param fault what goes wrong in the middle of it
 * @param saved whether it is written to files and read back
 * @param steps of training
 * @param seed of weights and data
 */
record Trial(
    String cell,
    DType type,
    int time,
    int batch,
    int inputs,
    int hidden,
    int layers,
    boolean bidirectional,
    boolean ragged,
    double dropout,
    Rule optimizer,
    boolean checkpointed,
    Fault fault,
    boolean saved,
    int steps,
    long seed) {
  private static final List<Rule> OPTIMIZERS =
      List.of(
          Sgd.rule(),
          Sgd.rule().withMomentum(0.9),
          AdaGrad.rule(),
          Adadelta.rule(),
          Adam.rule(),
          AdamW.rule(),
          NAdam.rule(),
          RAdam.rule(),
          RmsProp.rule());
  private static final double RATE = 1e-3;

  /** What goes wrong in a trial, in its second step. */
  enum Fault {
    NONE,
    /** An exception after the layers ran and before there is a loss. */
    FORWARD,
    /** An exception in a checkpointed segment when backward runs it again. */
    BACKWARD
  }

  /** What a trial throws on purpose. */
  private static final class Thrown extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private record Model(Stacked stack, Linear head) implements Layer {}

  /** Draws a trial. */
  static Trial draw(Philox random) {
    List<String> cells = Cells.names();
    boolean checkpointed = random.nextInt(4) == 0;
    Fault fault =
        random.nextInt(6) > 0 ? Fault.NONE : checkpointed ? Fault.BACKWARD : Fault.FORWARD;
    return new Trial(
        cells.get(random.nextInt(cells.size())),
        random.nextInt(4) == 0 ? DType.F64 : DType.F32,
        1 + random.nextInt(40),
        1 + random.nextInt(16),
        1 + random.nextInt(32),
        1 + random.nextInt(80),
        1 + random.nextInt(3),
        random.nextInt(3) == 0,
        random.nextInt(3) == 0,
        random.nextInt(3) == 0 ? 0.3 : 0,
        OPTIMIZERS.get(random.nextInt(OPTIMIZERS.size())),
        checkpointed,
        fault,
        random.nextInt(4) == 0,
        3 + random.nextInt(10),
        random.nextInt(Integer.MAX_VALUE));
  }

  /**
   * Trains, on this thread.
   *
   * @param folder for files; need not be there
   * @throws IOException if files cannot be written or read
   */
  void run(Path folder) throws IOException {
    try (var run = TensorScope.open()) {
      var rng = Philox.of(seed);
      Model model = model(rng);
      Optimizer steps = optimizer.over(model.parameters(), RATE);
      Tensor lengths = ragged ? lengths(rng) : null;
      for (int i = 0; i < this.steps; i++) {
        try {
          step(model, steps, rng, lengths, i == 1 ? fault : Fault.NONE);
        } catch (Thrown _) {
          // The next step must work as if this one had not been.
        }
      }
      if (saved) {
        saveAndLoad(folder, model, steps);
      }
    }
  }

  private Model model(Philox rng) {
    Init init = Init.xavierUniform().as(type);
    List<Sequence> sequences = new ArrayList<>();
    int width = inputs;
    for (int i = 0; i < layers; i++) {
      Cell<?> one = Cells.of(cell, width, hidden, init, rng);
      sequences.add(
          bidirectional
              ? Bidirectional.of(one, Cells.of(cell, width, hidden, init, rng))
              : Recurrent.of(one));
      width = sequences.getLast().outputs();
    }
    return new Model(new Stacked(sequences, new Dropout(dropout)), Linear.of(width, 2, init, rng));
  }

  private Tensor lengths(Philox rng) {
    int[] lengths = new int[batch];
    for (int n = 0; n < batch; n++) {
      lengths[n] = rng.nextInt(time + 1);
    }
    return Tensor.of(Shape.of(batch), lengths);
  }

  private void step(Model model, Optimizer steps, Philox rng, @Nullable Tensor lengths, Fault now) {
    try (var step = TensorScope.open()) {
      Tensor x = rng.uniform(type, -1, 1, time, batch, inputs);
      Tensor y = rng.uniform(type, -1, 1, time, batch, 2);
      int[] runs = new int[1];
      var gradients =
          Grad.of(
              () ->
                  Training.with(
                      rng,
                      () -> {
                        Tensor read =
                            checkpointed
                                ? Grad.checkpoint(() -> {
                                  if (++runs[0] == 2 && now == Fault.BACKWARD) {
                                    throw new Thrown();
                                  }
                                  return model.stack().run(x, Marks.ofLengths(lengths)).y();
                                })
                                : model.stack().run(x, Marks.ofLengths(lengths)).y();
                        if (now == Fault.FORWARD) {
                          throw new Thrown();
                        }
                        return Loss.mse(model.head().apply(read), y);
                      }),
              model.parameters());
      steps.step(gradients.clipNorm(1));
    }
  }

  private void saveAndLoad(Path folder, Model model, Optimizer steps) throws IOException {
    Map<String, Tensor> memory = new LinkedHashMap<>();
    steps.state().forEach((name, tensor) -> memory.put("optimizer." + name, tensor));
    var checkpoints = new Checkpoints(folder, 1);
    long last = checkpoints.newest(_ -> {}).map(Checkpoint::step).orElse(0L);
    checkpoints.save(last + 1, memory, Map.of());
    steps.restore(checkpoints.newest(_ -> {}).orElseThrow().load("optimizer."));
    Path weights = folder.resolve("weights.safetensors");
    Safetensors.save(weights, model.parameters(), Map.of());
    Safetensors.loadInto(weights, model.parameters());
  }
}
