package carousel.zoo.draw;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.zoo.draw.Diagram.Edge;
import carousel.zoo.draw.Diagram.Node;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class SvgTest {
  static {
    // The module under test has no use for an XML parser; its tests have.
    SvgTest.class.getModule().addReads(ModuleLayer.boot().findModule("java.xml").orElseThrow());
  }

  private static Document parse(String svg) throws Exception {
    var factory = DocumentBuilderFactory.newInstance();
    factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
    return factory
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
  }

  private static List<Element> elements(Document document, String name) {
    var found = new ArrayList<Element>();
    var list = document.getElementsByTagName(name);
    for (int i = 0; i < list.getLength(); i++) {
      found.add((Element) list.item(i));
    }
    return found;
  }

  private static long ofClass(Document document, String name) {
    return elements(document, "g").stream()
        .filter(g -> g.getAttribute("class").equals(name))
        .count();
  }

  @Test
  void holdsEveryNodeEdgeAndTitle() throws Exception {
    var diagram = LstmDiagram.peephole();
    var document = parse(Svg.write(diagram));
    assertThat(ofClass(document, "node")).isEqualTo(diagram.nodes().size());
    assertThat(ofClass(document, "edge")).isEqualTo(diagram.edges().size());
    var texts = elements(document, "text").stream().map(Element::getTextContent).toList();
    assertThat(texts)
        .contains(diagram.title(), "matmul", "[N,4H]", "dwx", "saved for the backward pass")
        .contains("input", "parameter", "operation", "output", "backward operation", "gradient");
  }

  @Test
  void dashesWhatTheForwardPassHandsToTheBackwardPass() throws Exception {
    var diagram =
        new Diagram(
            "",
            List.of(
                new Node("x", "x", NodeKind.INPUT, ""),
                new Node("y", "tanh", NodeKind.OPERATION, ""),
                new Node("dy", "dy", NodeKind.INPUT, ""),
                new Node("m", "mul", NodeKind.BACKWARD, ""),
                new Node("dx", "dx", NodeKind.GRADIENT, "")),
            List.of(
                new Edge("x", "y", ""),
                new Edge("y", "m", ""),
                new Edge("dy", "m", ""),
                new Edge("m", "dx", "")));
    var dashed =
        elements(parse(Svg.write(diagram)), "g").stream()
            .filter(g -> g.getAttribute("class").equals("edge"))
            .filter(g ->
                g.getElementsByTagName("path").item(0) instanceof Element path
                    && path.hasAttribute("stroke-dasharray"))
            .map(g -> g.getElementsByTagName("title").item(0).getTextContent())
            .toList();
    assertThat(dashed).containsExactly("y → m");
  }

  @Test
  void needsNothingFromOutside() {
    String svg = Svg.write(LstmDiagram.peephole());
    assertThat(svg.replace("xmlns=\"http://www.w3.org/2000/svg\"", ""))
        .doesNotContain("http", "href", "<script", "@import", "url(http");
  }

  @Test
  void theLegendNamesWhatOccursOnly() throws Exception {
    var diagram = new Diagram("t", List.of(new Node("a", "x", NodeKind.INPUT, "")), List.of());
    var texts =
        elements(parse(Svg.write(diagram)), "text").stream().map(Element::getTextContent).toList();
    assertThat(texts).containsExactly("t", "x", "input");
  }

  @Test
  void anyTextIsWellFormed() throws Exception {
    String odd = "<&>\"'\u0000\u001b\uD800\uFFFF 語🎠\n%s";
    var diagram =
        new Diagram(
            odd,
            List.of(
                new Node(odd, odd, NodeKind.INPUT, odd),
                new Node("b", "100 %", NodeKind.GRADIENT, "")),
            List.of(new Edge(odd, "b", odd)));
    var texts =
        elements(parse(Svg.write(diagram)), "text").stream().map(Element::getTextContent).toList();
    assertThat(texts).contains("<&>\"'\uFFFD\uFFFD\uFFFD\uFFFD 語🎠 %s", "100 %");
  }

  @Test
  void anEmptyDiagramIsADrawing() throws Exception {
    assertThat(ofClass(parse(Svg.write(new Diagram("", List.of(), List.of()))), "node")).isZero();
  }

  @Test
  void numbersHaveAPointInEveryLocale() {
    var before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.GERMANY);
      String german = Svg.write(LstmDiagram.peephole());
      Locale.setDefault(Locale.ROOT);
      assertThat(german).isEqualTo(Svg.write(LstmDiagram.peephole()));
    } finally {
      Locale.setDefault(before);
    }
  }

  /**
   * Text must not run out of its box: the estimate is above the widths of DejaVu Sans, a wide face.
   */
  @ParameterizedTest
  @CsvSource({
    // Measured at 1000 units per em in DejaVu Sans.
    "matmul, 3864.7",
    "'[N,4H]', 3234.4",
    "sigmoid, 3932.1",
    "softmax, 4055.7",
    "transpose, 4953.6",
    "1 − y, 2701.7",
    "scatterAdd, 5447.8",
    "'[35,20,800]', 5869.6",
    "LSTM.gates, 5759.3",
    "backward operation, 9972.2",
    "漢字, 2000",
    "'', 0"
  })
  void widthsAreEstimatedFromAbove(String text, double measured) {
    assertThat(TextWidth.of(text, 1000)).isBetween(measured, measured * 1.15);
  }
}
