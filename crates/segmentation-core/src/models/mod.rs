//! What is fitted on many customers and then scores one.

pub mod calibration;
pub mod channels;
pub mod churn_model;
pub mod churn_stack;
pub mod product_appetence;
pub mod profile;
pub mod purchase_model;
pub mod retention_model;
pub mod send_time;
pub mod spend_model;
pub mod value_stack;
