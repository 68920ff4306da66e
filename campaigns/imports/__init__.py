"""From a file as people really have it to contacts: `reading`, `mapping`, `loading`."""
