package carousel.zoo.language;

import carousel.nn.init.Init;
import carousel.nn.recurrent.Cells;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.TensorScope;
import carousel.zoo.run.Failure;
import carousel.zoo.run.Numbers;
import java.util.Locale;

/**
 * How many weights a language model has, told before any is made: {@code 2 V H + V} of the vocabulary, and those of
 * its layers. Weights of a cell of H units over H inputs are blocks {@code [H,H]} and {@code [H]}, so that their
 * number is a polynomial of degree two in H; three cells of next to no size say which.
 *
 * @param settings of the model
 * @param vocabulary V
 * @param ofVocabulary weights of the embedding and the head
 * @param ofLayers weights of all recurrent layers
 */
record ModelSize(Settings settings, int vocabulary, double ofVocabulary, double ofLayers) {

  static ModelSize of(Settings settings, int vocabulary) {
    double width = (double) settings.hidden();
    return new ModelSize(
        settings,
        vocabulary,
        vocabulary * (2 * width + 1),
        settings.layers() * ofCell(settings.cell(), width));
  }

  private static double ofCell(String cell, double width) {
    try (var looking = TensorScope.open(Device.cpu())) {
      var n = new double[4];
      for (int w = 1; w < n.length; w++) {
        n[w] = Cells.of(cell, w, w, Init.uniform(1), Philox.of(1)).parameters().count();
      }
      double curve = (n[3] - 2 * n[2] + n[1]) / 2;
      double slope = n[2] - n[1] - 3 * curve;
      return curve * width * width + slope * width + n[1] - curve - slope;
    }
  }

  double weights() {
    return ofVocabulary + ofLayers;
  }

  /**
   * What a step of training holds at the least: the weights, what the optimiser remembers of each, and the gradients,
   * of which those of the embedding may be few rows.
   */
  double bytes() {
    int slots = settings.optimizer().equals("adam") ? 2 : 0;
    double embedding = (double) vocabulary * settings.hidden();
    return DType.F32.bytes() * ((1.0 + slots) * weights() + weights() - embedding);
  }

  /**
   * Checks that it can be trained at all.
   *
   * @param limit the most bytes that tensors may take
   * @throws Failure that names the option whose weights are the most
   */
  void require(long limit) {
    if (bytes() <= limit) {
      return;
    }
    String layers = settings.layers() > 1 ? "--hidden or --layers" : "--hidden";
    throw Failure.usage(
        String.format(
            Locale.ROOT,
            "--hidden %d, --layers %d: a model of %s weights takes %s (%s bytes) or more while it is trained by %s, and"
                + " %s may have %s; make %s smaller%s",
            settings.hidden(),
            settings.layers(),
            Numbers.figure(weights()),
            Numbers.bytes(bytes()),
            Numbers.figure(bytes()),
            settings.optimizer(),
            settings.device(),
            Numbers.bytes(limit),
            layers,
            ofVocabulary > ofLayers
                ? String.format(
                    Locale.ROOT,
                    ", or the vocabulary of %s (--vocabulary, --min-count)",
                    Numbers.count(vocabulary))
                : ""));
  }
}
