package carousel.zoo.plot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Element;

/** What is described is there, in both forms, and no text lies on another or beyond the edge. */
class PlotTest {
  private static double[] x(int count) {
    return IntStream.range(0, count).mapToDouble(i -> i).toArray();
  }

  private static double[] y(int count, double by) {
    return IntStream.range(0, count).mapToDouble(i -> Math.exp(-by * i) * 50 + 2).toArray();
  }

  static Map<String, Plot> all() {
    var plots = new LinkedHashMap<String, Plot>();
    var x = Axis.of("epoch", "");
    var y = Axis.of("loss", "nats");
    plots.put(
        "curves",
        Chart.of("Curves", x, y)
            .curve("train", x(30), y(30, 0.2))
            .curve("valid <&> test", x(30), y(30, 0.1), y(30, 0.3))
            .level("best", 2)
            .mark("here", 10));
    var many =
        Chart.of("A title that is far too long for the width that a plot has".repeat(2), x, y);
    for (int i = 0; i < 9; i++) {
      many = many.curve("series number " + i, x(8), y(8, 0.1 * i));
    }
    plots.put("many", many);
    plots.put("log", Chart.of("Log", x, y.logarithmic()).curve("a", x(20), y(20, 0.5)));
    plots.put(
        "loglog",
        Chart.of("Log log", x.logarithmic(), y.logarithmic())
            .points("a", new double[] {1e-6, 1, 1e7}, new double[] {1e-9, 1e-3, 1e5}));
    plots.put("scatter", Chart.of("Scatter", x, y).points("a", y(90, 0.1), x(90)));
    plots.put(
        "bars", Chart.of("Bars", x, y).bars("a", x(6), y(6, 0.3)).bars("b", x(6), y(6, -0.1)));
    plots.put("negative", Chart.of("Bars", x, y).bars("a", x(3), new double[] {-1, 2, -3}));
    plots.put("histogram", Chart.of("Histogram", x, y).histogram("a", 0, 60, 12, y(99, 0.02)));
    plots.put(
        "large", Chart.of("Large", x, y).curve("a", x(5), new double[] {1e6, 2e6, 0, 3e9, 1}));
    plots.put("tiny", Chart.of("Tiny", x, y).curve("a", x(3), new double[] {1e-9, 3e-9, 2e-9}));
    plots.put("one", Chart.of("One", x, y).curve("a", new double[] {3}, new double[] {0.1}));
    plots.put("none", Chart.of("None", x, y));
    plots.put("gaps", Chart.of("Gaps", x, y).curve("a", x(4), new double[] {1, Double.NaN, 2, 3}));
    plots.put(
        "heat", HeatMap.of("Heat", x, y, Axis.of("share", ""), new double[][] {x(9), y(9, 1)}));
    plots.put("flat", HeatMap.of("Flat", x, y, Axis.of("share", ""), new double[][] {{1, 1}}));
    plots.put(
        "named",
        HeatMap.of("Named", x, y, Axis.of("weight", ""), new double[][] {{1, Double.NaN}, {0, 2}})
            .texts(List.of(List.of("a", "none"), List.of("", "a long text")))
            .names(List.of("first column", "second"), List.of("up", "a row with a long name")));
    plots.put("tall", HeatMap.of("Tall", x, y, Axis.of("w", ""), new double[60][3]));
    return plots;
  }

  static Stream<String> names() {
    return all().keySet().stream();
  }

  private static Plot plot(String name) {
    return java.util.Objects.requireNonNull(all().get(name));
  }

  private static List<Element> texts(Plot plot) throws Exception {
    var bytes = plot.svg().getBytes(StandardCharsets.UTF_8);
    var builder = DocumentBuilderFactory.newInstance().newDocumentBuilder();
    var read = builder.parse(new ByteArrayInputStream(bytes)).getElementsByTagName("text");
    var texts = new ArrayList<Element>();
    for (int i = 0; i < read.getLength(); i++) {
      texts.add((Element) read.item(i));
    }
    return texts;
  }

  @ParameterizedTest
  @MethodSource("names")
  void titleAxesUnitsAndLegendAreThere(String name) throws Exception {
    var plot = plot(name);
    var texts = texts(plot).stream().map(Element::getTextContent).toList();
    assertThat(texts).contains(plot.title(), "epoch", "loss (nats)");
    if (plot instanceof Chart chart) {
      assertThat(texts).containsAll(chart.series().stream().map(Series::name).toList());
    }
  }

  /** By the boxes of the texts, estimated from above; upright ones lie on their side. */
  @ParameterizedTest
  @MethodSource("names")
  void noTextLiesOnAnotherOrBeyondTheEdge(String name) throws Exception {
    var plot = plot(name);
    var boxes = new LinkedHashMap<String, double[]>();
    for (var text : texts(plot)) {
      double size = Double.parseDouble(text.getAttribute("font-size"));
      double width = 0.94 * carousel.zoo.draw.TextWidth.of(text.getTextContent(), size);
      double at = Double.parseDouble(text.getAttribute("x"));
      double base = Double.parseDouble(text.getAttribute("y"));
      double back =
          switch (text.getAttribute("text-anchor")) {
            case "middle" -> width / 2;
            case "end" -> width;
            default -> 0;
          };
      boolean upright = text.hasAttribute("transform");
      var box =
          upright
              ? new double[] {at - 0.75 * size, base - width + back, at + 0.2 * size, base + back}
              : new double[] {at - back, base - 0.75 * size, at - back + width, base + 0.2 * size};
      assertThat(box[0]).as("left of %s", text.getTextContent()).isGreaterThanOrEqualTo(0);
      assertThat(box[1]).as("top of %s", text.getTextContent()).isGreaterThanOrEqualTo(0);
      assertThat(box[2]).as("right of %s", text.getTextContent()).isLessThan(plot.width());
      assertThat(box[3]).as("foot of %s", text.getTextContent()).isLessThan(plot.height());
      boxes.forEach((other, b) -> {
        boolean apart = box[2] <= b[0] || b[2] <= box[0] || box[3] <= b[1] || b[3] <= box[1];
        assertThat(apart).as("'%s' beside '%s'", text.getTextContent(), other).isTrue();
      });
      boxes.put(text.getTextContent() + " at " + at + " " + base, box);
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void thePngHasWhatIsDrawn(String name) throws IOException {
    var plot = plot(name);
    var image = ImageIO.read(new ByteArrayInputStream(Png.of(plot)));
    assertThat(image.getWidth()).isEqualTo(1520);
    assertThat(image.getHeight()).isEqualTo((int) Math.ceil(2 * plot.height()));
    assertThat(Png.of(plot)).as("the same bytes every time").isEqualTo(Png.of(plot));
    var colours = colours(image);
    assertThat(colours.size()).isGreaterThan(20); // smooth letters alone make as many
    if (plot instanceof Chart chart) {
      for (int i = 0; i < chart.series().size(); i++) {
        assertThat(colours).as("series %d", i).contains(Color.decode(Colours.series(i)).getRGB());
      }
    }
  }

  private static Set<Integer> colours(BufferedImage image) {
    var colours = new TreeSet<Integer>();
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        colours.add(image.getRGB(x, y));
      }
    }
    return colours;
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1, '0.0 0.2 0.4 0.6 0.8 1.0'",
    "0, 1000, '0 200 400 600 800 1000'",
    "-150, 10, '−150 −100 −50 0'",
    "0, 40000, '0 10,000 20,000 30,000 40,000'",
    "0.12, 0.16, '0.12 0.13 0.14 0.15 0.16'"
  })
  void ticksAreRoundNumbers(double from, double to, String ticks) {
    var axis = Axis.of("a", "").within(from, to);
    assertThat(String.join(" ", Axis.written(axis.ticks(6)))).isEqualTo(ticks);
  }

  @Test
  void ticksOfDecades() {
    var axis = Axis.of("a", "").logarithmic();
    assertThat(Axis.written(axis.within(0.5, 300).ticks(6))).containsExactly("1", "10", "100");
    assertThat(Axis.written(axis.within(0.9, 30).ticks(6)))
        .containsExactly("1", "2", "5", "10", "20");
    assertThat(Axis.written(axis.within(1e-7, 1e5).ticks(6)))
        .contains("1e−6", "0.01", "1", "100", "1e4");
    assertThat(axis.within(14, 21).ticks(6)).hasSizeGreaterThan(3);
  }

  /** A colour-blind person sees brightness: it rises along the scale, and each series has a form of its own. */
  @Test
  void valuesAreOrderedByBrightness() {
    double before = -1.0;
    for (int i = 0; i <= 50; i++) {
      var c = Color.decode(Colours.value(i / 50.0));
      double brightness = 0.2126 * c.getRed() + 0.7152 * c.getGreen() + 0.0722 * c.getBlue();
      assertThat(brightness).isGreaterThan(before);
      before = brightness;
    }
  }

  @Test
  void aHistogramSharesAll() {
    var series =
        Chart.of("h", Axis.of("x", ""), Axis.of("share", ""))
            .histogram("a", 0, 4, 4, 0, 0.5, 1, 3.9, 4, 9, -1, 2)
            .series()
            .getFirst();
    assertThat(series.x()).containsExactly(0.5, 1.5, 2.5, 3.5);
    assertThat(series.y()).containsExactly(2 / 8.0, 1 / 8.0, 1 / 8.0, 2 / 8.0);
    assertThatThrownBy(
            () -> Chart.of("c", Axis.of("x", ""), Axis.of("y", "")).curve("a", x(3), x(4)))
        .hasMessage("a: 3 x, 4 y, 0 spreads");
  }
}
