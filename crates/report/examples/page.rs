//! Draws a page, or with the name of a picture and a width that one, of a document on standard input: to look at without
//! a server. The document is what `segmentation_internal.report_document` says.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let document = serde_json::from_reader(std::io::stdin().lock())?;
    let mut arguments = std::env::args().skip(1);
    let drawn = match arguments.next() {
        Some(name) => {
            let width = arguments.next().map_or(Ok(720), |width| width.parse())?;
            segmentation_report::chart(&document, &name, width)?
        }
        None => segmentation_report::page(&document)?,
    };
    print!("{drawn}");
    Ok(())
}
