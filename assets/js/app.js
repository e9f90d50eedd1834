// enhancements only
