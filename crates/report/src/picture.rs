//! A picture with its words: a title, what it says in a sentence, and the table behind it.

use maud::{Markup, PreEscaped, html};
use segmentation_core::base::error::Result;

use crate::canvas::{Drawing, view_box};
use crate::palette;

/// The widths at which a picture is drawn: of a page on a desk, and of a telephone.
pub const WIDE: f64 = 720.0;
/// The width on a telephone.
pub const NARROW: f64 = 350.0;

/// The numbers behind a picture.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Names of the columns; the first is of texts.
    pub head: Vec<String>,
    /// How many of the first columns are texts; the others are numbers.
    pub texts: usize,
    /// Rows.
    pub rows: Vec<Vec<String>>,
}

/// How a picture is drawn at a width.
pub type Painter<'a> = Box<dyn Fn(f64) -> Result<Drawing> + 'a>;

/// A picture.
pub struct Picture<'a> {
    /// By which it is asked for.
    pub name: String,
    /// What it is.
    pub title: String,
    /// What it says, for those who do not see it.
    pub about: String,
    /// Numbers behind.
    pub table: Table,
    /// Half as wide on a desk.
    pub small: bool,
    /// The drawing.
    pub paint: Painter<'a>,
}

impl Picture<'_> {
    /// The picture alone, with its own style.
    ///
    /// # Errors
    /// What drawing returns.
    pub fn svg(&self, width: f64) -> Result<String> {
        let drawing = (self.paint)(width)?;
        Ok(html! {
            svg.pic xmlns="http://www.w3.org/2000/svg" viewBox=(view_box(&drawing)) width=(drawing.width)
                height=(drawing.height) role="img" aria-labelledby="title about" {
                title #title { (self.title) }
                desc #about { (self.about) }
                style { (PreEscaped(palette::dark_style())) }
                (PreEscaped(&drawing.marks))
            }
        }
        .into_string())
    }

    /// The picture within a page.
    ///
    /// # Errors
    /// What drawing returns.
    pub fn figure(&self, id: &str, numbers: &str) -> Result<Markup> {
        let narrow = (self.paint)(NARROW)?;
        let wide = if self.small { None } else { Some((self.paint)(WIDE)?) };
        Ok(html! {
            figure.small[self.small] id={ "picture-" (id) } {
                figcaption { (self.title) }
                @if let Some(wide) = &wide { (self.element(wide, id, "wide")) }
                (self.element(&narrow, id, if self.small { "only" } else { "narrow" }))
                (self.table.details(numbers))
            }
        })
    }

    fn element(&self, drawing: &Drawing, id: &str, class: &str) -> Markup {
        let (title, about) = (format!("{id}-{class}-title"), format!("{id}-{class}-about"));
        html! {
            svg class={ "pic " (class) } viewBox=(view_box(drawing)) role="img" aria-labelledby={ (title) " " (about) } {
                title id=(title) { (self.title) }
                desc id=(about) { (self.about) }
                (PreEscaped(&drawing.marks))
            }
        }
    }
}

impl Table {
    /// The table, folded in.
    pub fn details(&self, numbers: &str) -> Markup {
        html! {
            @if !self.rows.is_empty() {
                details { summary { (numbers) } (self.open()) }
            }
        }
    }

    /// The table.
    pub fn open(&self) -> Markup {
        html! {
            div.scroll {
                table {
                    thead { tr { @for name in &self.head { th scope="col" { (name) } } } }
                    tbody {
                        @for row in &self.rows {
                            tr {
                                @for (place, cell) in row.iter().enumerate() {
                                    @if place == 0 { th scope="row" { bdi { (cell) } } }
                                    @else if place < self.texts { td.text { bdi { (cell) } } }
                                    @else { td { (cell) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
