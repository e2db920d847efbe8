package org.example;

import carousel.autograd.Grad;
import carousel.nn.Layer;
import carousel.nn.data.PaddedBatch;
import carousel.nn.init.Init;
import carousel.nn.layer.Attention;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.Linear;
import carousel.nn.loss.CrossEntropy;
import carousel.nn.optim.Adam;
import carousel.nn.optim.Schedule;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.HiddenState;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes dates as ISO 8601: "Friday, March 3, 1978" becomes "1978-03-03". An encoder reads characters in both
 * directions; a decoder writes characters, and looks back at what was read by attention (Luong, Pham and
 * Manning 2015).
 */
public final class Dates {
  static final int WIDTH = 64, ROWS = 64, STEPS = 300;

  record Model(
      Embedding embed,
      Bidirectional encoder,
      Linear keys,
      Linear bridge,
      Recurrent<HiddenState> decoder,
      Linear head)
      implements Layer {
    static Model of(Philox rng) {
      var init = Init.xavierUniform();
      return new Model(
          Embedding.padded(Batch.CHARS.size(), WIDTH, Batch.PADDING, Init.normal(1), rng),
          Bidirectional.of(gru(rng), gru(rng)),
          Linear.of(2 * WIDTH, WIDTH, init, rng),
          Linear.of(2 * WIDTH, WIDTH, init, rng),
          Recurrent.of(gru(rng)),
          Linear.of(2 * WIDTH, Batch.CHARS.size(), init, rng));
    }

    private static GruResetAfter gru(Philox rng) {
      return GruResetAfter.of(WIDTH, WIDTH, Init.xavierUniform(), rng);
    }

    Encoded encode(Batch batch) {
      PaddedBatch source = batch.source();
      var run = encoder.run(embed.apply(source.tokens()), source.lengths());
      Tensor read =
          keys.apply(run.y()).transpose(0, 1); // [N,S,H]: attention wants the batch in front
      Tensor mask = source.mask().transpose(0, 1).unsqueeze(1); // [N,1,S]
      return new Encoded(read, mask, new HiddenState(bridge.apply(run.last()).tanh()));
    }

    /**
     * Reads characters {@code [T,N]} that were written and gives logits of those that follow, {@code
     * [T,N,V]}.
     */
    Decoded decode(Encoded encoded, Tensor written, HiddenState state) {
      var run = decoder.run(embed.apply(written), state);
      Tensor queries = run.y().transpose(0, 1);
      Tensor found =
          Attention.scaledDotProduct(queries, encoded.read(), encoded.read(), encoded.mask());
      Tensor logits =
          head.apply(Tensor.concat(List.of(queries, found), Tensor.LAST)).transpose(0, 1);
      return new Decoded(logits, (HiddenState) run.states().getFirst());
    }

    /** Teacher forcing: whatever the model would have written, it goes on from what is right. */
    Tensor loss(Batch batch) {
      Encoded encoded = encode(batch);
      int length = batch.target().dim(0) - 1;
      Tensor logits =
          decode(encoded, batch.target().narrow(0, 0, length), encoded.start()).logits();
      return CrossEntropy.of()
          .withIgnored(Batch.PADDING)
          .apply(logits, batch.target().narrow(0, 1, length));
    }

    /** The likeliest character at every step, read again at the next. */
    List<String> write(Batch batch) {
      Encoded encoded = encode(batch);
      Tensor token = batch.target().narrow(0, 0, 1); // the start
      HiddenState state = encoded.start();
      var tokens = new ArrayList<Tensor>();
      for (int t = 1; t < batch.target().dim(0); t++) {
        Decoded step = decode(encoded, token, state);
        tokens.add(token = step.logits().argmax(Tensor.LAST));
        state = step.state();
      }
      return Tensor.concat(tokens, 0).unbind(1).stream()
          .map(row -> Batch.CHARS.decodeSequence(row.toIntArray()))
          .toList();
    }
  }

  record Encoded(Tensor read, Tensor mask, HiddenState start) {}

  record Decoded(Tensor logits, HiddenState state) {}

  public static void main(String[] args) {
    try (var _ = TensorScope.open()) {
      var model = Model.of(Philox.of(1));
      var parameters = model.parameters();
      var adam = Adam.of(parameters, 0.004);
      var schedule = Schedule.cosine(0.004, 0.0002, STEPS);
      var rng = Philox.of(2);
      for (int step = 0; step < STEPS; step++) {
        try (var _ = TensorScope.open()) {
          adam.learningRate(schedule.rate(step));
          var batch = Batch.of(rng, false);
          var gradients = Grad.of(() -> model.loss(batch), parameters);
          adam.step(gradients.clipNorm(1));
          if (step % 50 == 49) {
            System.out.printf("step %3d  loss %.4f%n", step + 1, gradients.value().item());
          }
        }
      }
      int right = 0, all = 0;
      for (int i = 0; i < 16; i++) {
        try (var _ = TensorScope.open()) {
          var batch = Batch.of(Philox.of(3).split(i), true);
          List<String> written = model.write(batch);
          for (int n = 0; n < ROWS; n++, all++) {
            if (written.get(n).equals(batch.dates().get(n))) {
              right++;
            }
            if (i == 0 && n < 4) {
              String read =
                  Batch.CHARS.decodeSequence(batch.source().tokens().select(1, n).toIntArray());
              System.out.println(read + "  ->  " + written.get(n));
            }
          }
        }
      }
      System.out.printf(
          "days never seen, whole date right: %.1f %% of %d%n", 100.0 * right / all, all);
    }
  }
}
