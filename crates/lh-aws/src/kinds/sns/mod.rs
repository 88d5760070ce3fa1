//! Kinds of Simple Notification Service.
